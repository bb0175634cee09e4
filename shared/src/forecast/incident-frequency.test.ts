import { describe, expect, test } from 'vitest'
import { metricIndex } from '../metrics.ts'
import {
  addSample,
  closeQuarter,
  emptySeries,
  minuteMs,
  minuteOf,
  type Series,
} from '../window/series.ts'
import { incidentFrequency } from './incident-frequency.ts'

const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const now = Date.parse('2026-03-12T10:00:00Z')

/** A server whose memory is `read(daysAgo, hour)`, sampled every 5 minutes for 8 days; undefined is a gap. */
function series(read: (daysAgo: number, hour: number) => number | undefined): Series {
  const made = emptySeries()
  for (let at = now - 8 * dayMs; at < now; at += 5 * minuteMs) {
    // Days begin at the time of day of `now`.
    const daysAgo = Math.ceil((now - at) / dayMs)
    const hour = (at - (now - daysAgo * dayMs)) / hourMs
    const value = read(daysAgo, hour)
    if (value !== undefined) addSample(made, at, { mem_used_pct: value, cpu_idle_pct: 100 - value })
    if (at % (15 * minuteMs) === 10 * minuteMs) closeQuarter(made, Math.floor(minuteOf(at) / 15))
  }
  return made
}

const share = (of: Series, horizonMinutes = 480) =>
  incidentFrequency({
    ...{ series: of, metric: metricIndex.mem_used_pct, limit: 90 },
    ...{ now, horizonMinutes },
  })

describe('how often this window of the day had an incident', () => {
  test('is counted over the seven days before', () => {
    const busy = (daysAgo: number, hour: number) =>
      daysAgo <= 3 && hour >= 2 && hour < 3 ? 95 : 50
    expect(share(series(busy))).toBeCloseTo(3 / 7, 10)
    // The hour before it comes is quiet on every day.
    expect(share(series(busy), 60)).toBe(0)
  })

  test('counts nothing outside the window, nor before the seven days', () => {
    expect(share(series((_, hour) => (hour >= 9 ? 95 : 50)))).toBe(0)
    expect(share(series((daysAgo) => (daysAgo === 8 ? 95 : 50)))).toBe(0)
  })

  test('counts no reading above the limit that a quarter of an hour was not', () => {
    expect(share(series((_, hour) => (hour > 2 && hour < 2.15 ? 95 : 50)))).toBe(0)
  })

  test('of idle are low readings', () => {
    const busy = series((daysAgo, hour) => (daysAgo <= 2 && hour < 1 ? 95 : 50))
    const of = { series: busy, metric: metricIndex.cpu_idle_pct, now, horizonMinutes: 480 }
    expect(incidentFrequency({ ...of, limit: 10 })).toBeCloseTo(2 / 7, 10)
  })

  test('leaves out days of which too little is known, and is unknown when all are', () => {
    const gaps = (daysAgo: number, hour: number) =>
      daysAgo > 2 ? undefined : daysAgo === 1 && hour < 1 ? 95 : 50
    expect(share(series(gaps))).toBe(0.5)
    expect(share(series((_, hour) => (hour < 6 ? undefined : 50)))).toBeUndefined()
    const fresh = series(() => 95)
    expect(share({ ...fresh, firstMinute: minuteOf(now) - 60 })).toBeUndefined()
  })
})
