import { describe, expect, test } from 'vitest'
import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { addSample, minuteMs } from '@harbinger/shared/window/series'
import { V } from '@harbinger/shared/window/window-batch'
import { type FleetHistory, spanSeries } from '../history/fleet-history.ts'
import { incidentsOf, openIncidentScore } from './incidents.ts'

const t0 = Date.UTC(2025, 0, 6)
const hourMs = 60 * minuteMs
const rule = { metric: 'mem_used_pct', limit: 90 } as const

function fleet(days: number, read: (hour: number) => number): FleetHistory {
  const to = t0 + days * 24 * hourMs - 1
  const series = spanSeries(t0, to, 5)
  for (let at = t0; at <= to; at += 5 * minuteMs) {
    addSample(series, at, { mem_used_pct: read((at - t0) / hourMs) })
  }
  return {
    ...{ name: 'made', simulated: true, from: t0, to, intervalMinutes: 5 },
    metrics: ['mem_used_pct'],
    servers: [{ name: 'a', profile: undefined, cores: undefined, series }],
  }
}

const within = (hour: number, from: number, to: number): boolean => hour >= from && hour < to

describe('an incident', () => {
  const found = (read: (hour: number) => number, days = 2) =>
    incidentsOf(fleet(days, read).servers[0]!.series, { rule, intervalMinutes: 5 })

  test('lasts from the first reading beyond the limit to the last', () => {
    const [incident, ...others] = found((hour) => (within(hour, 10, 12) ? 95 : 50))
    expect(others).toEqual([])
    expect(incident!.start).toBe(t0 + 10 * hourMs)
    expect(incident!.end).toBe(t0 + 12 * hourMs - 5 * minuteMs)
  })

  test('is none when it is over in ten minutes', () => {
    expect(found((hour) => (within(hour, 10, 10 + 1 / 6) ? 95 : 50))).toEqual([])
  })

  test('goes on through half an hour below, and is over after an hour', () => {
    const twice = (gap: number) => (hour: number) =>
      within(hour, 10, 11) || within(hour, 11 + gap, 12 + gap) ? 95 : 50
    expect(found(twice(0.5)).length).toBe(1)
    expect(found(twice(1.5)).length).toBe(2)
  })

  test('is novel when the last seven days had none', () => {
    const daily = found((hour) => (within(hour % 24, 10, 11) ? 95 : 50), 3)
    expect(daily.map(({ novel }) => novel)).toEqual([true, false, false])
  })
})

describe('warnings', () => {
  const history = fleet(3, (hour) => (within(hour, 40, 42) ? 95 : 50))
  const v = networkMetricNames.indexOf('mem_used_pct')

  /** Forecasts every hour: the 8-hour peak is `peakAt(hour)` for certain. */
  function report(peakAt: (hour: number) => number) {
    const score = openIncidentScore(history, [rule])
    for (let hour = 24; hour < 64; hour++) {
      const peaks = new Float32Array(peakMinutes.length * V * Q)
      peaks.fill(peakAt(hour), (2 * V + v) * Q, (2 * V + v + 1) * Q)
      score.add({ server: 0, now: t0 + hour * hourMs }, { peaks, row: 0 })
    }
    return score.report()['mem_used_pct > 90']!
  }

  test('that come in time and never else are perfect', () => {
    const perfect = report((hour) => (hour >= 32 && hour < 40 ? 95 : 50))
    expect(perfect).toMatchObject({ n: 1, novel: 1, averagePrecision: 1, precision: 1 })
    expect(perfect.recallAt['0.02']).toBe(1)
    expect(perfect.leadMinutes.p50).toBe(480)
  })

  test('that never come find nothing', () => {
    const silent = report(() => 50)
    expect(silent.recallAt['0.1']).toBe(0)
    expect(silent.precision).toBeNull()
  })

  test('at the wrong time are false alarms, and cost the recall they would have bought', () => {
    const wrong = report((hour) => (hour % 4 === 0 ? 95 : 50))
    expect(wrong.recallAt['0.02']).toBe(0)
    expect(wrong.averagePrecision!).toBeLessThan(0.5)
  })
})
