import { describe, expect, test } from 'vitest'
import type { MetricName } from '../metrics.ts'
import { addSample, emptySeries, minuteMs } from '../window/series.ts'
import { outlookOf } from './outlook.ts'

const t0 = Date.UTC(2025, 0, 6)
const end = t0 + 24 * 60 * minuteMs

/** A day of one metric, minute by minute; `read` gets the hours until its end. */
function outlook(
  metric: MetricName,
  { read, limit, peaks }: { read: (left: number) => number; limit: number; peaks?: number[] },
) {
  const series = emptySeries()
  for (let at = t0; at < end; at += minuteMs) {
    addSample(series, at, { [metric]: read((end - at) / 3_600_000) })
  }
  return outlookOf({ series, now: end, metric, limit, peaks })!
}

const flat = (quantiles: readonly number[]): number[] => [...quantiles, ...quantiles, ...quantiles]
const spread = [60, 70, 75, 80, 85, 90, 100]

describe('an outlook', () => {
  test('says how far the limit is and how far each trend goes in 4 h', () => {
    const { room, rises } = outlook('mem_used_pct', { read: (left) => 80 - 2 * left, limit: 90 })
    expect(room).toBeCloseTo(10, 0)
    for (const rise of rises) expect(rise).toBeCloseTo(8, 0)
  })

  test('of idle is turned round: falling is a rise, and the low quantiles are the bad ones', () => {
    const peaks = flat([0, 2, 10, 20, 30, 40, 50])
    const { room, rises, chances } = outlook('cpu_idle_pct', {
      ...{ read: (left: number) => 20 + 2 * left, limit: 2, peaks },
    })
    expect(room).toBeCloseTo(18, 0)
    expect(rises[1]).toBeCloseTo(8, 0)
    expect(chances[2]).toBeCloseTo(0.1)
  })

  test('reads the chance off the quantiles, and lets it fade beyond them', () => {
    const chanceAt = (limit: number) =>
      outlook('back_close_wait', { read: () => 50, limit, peaks: flat(spread) }).chances[2]
    expect(chanceAt(80)).toBeCloseTo(0.5)
    expect(chanceAt(100)).toBeCloseTo(0.02)
    expect(chanceAt(105)).toBeLessThan(0.02)
    expect(chanceAt(120)).toBeLessThan(chanceAt(105))
    expect(chanceAt(120)).toBeGreaterThan(0)
    expect(chanceAt(50)).toBeCloseTo(0.98)
  })

  test('says nothing of a metric that was not measured, and reads nothing after its instant', () => {
    const series = emptySeries()
    for (let at = t0; at < end; at += minuteMs) addSample(series, at, { swap_used_pct: 1 })
    addSample(series, end, { mem_used_pct: 99, swap_used_pct: 90 })
    expect(outlookOf({ series, now: end, metric: 'mem_used_pct', limit: 90 })).toBeUndefined()
    expect(outlookOf({ series, now: end, metric: 'swap_used_pct', limit: 50 })!.room).toBe(49)
  })
})
