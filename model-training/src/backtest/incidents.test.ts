import { describe, expect, test } from 'vitest'
import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { addSample, minuteMs } from '@harbinger/shared/window/series'
import { V } from '@harbinger/shared/window/window-batch'
import { closeAllQuarters, type FleetHistory, spanSeries } from '../history/fleet-history.ts'
import { incidentsOf } from './find-incidents.ts'
import { criticalRules, toRule } from './incident-rules.ts'
import { openIncidentScore } from './incidents.ts'

const t0 = Date.UTC(2025, 0, 6)
const hourMs = 60 * minuteMs
const rule = { metric: 'mem_used_pct', limit: 90 } as const

function fleet(days: number, read: (hour: number) => number): FleetHistory {
  const to = t0 + days * 24 * hourMs - 1
  const series = spanSeries(t0, to, 5)
  for (let at = t0; at <= to; at += 5 * minuteMs) {
    addSample(series, at, { mem_used_pct: read((at - t0) / hourMs) })
  }
  closeAllQuarters(series)
  return {
    ...{ name: 'made', simulated: true, from: t0, to, intervalMinutes: 5 },
    metrics: ['mem_used_pct'],
    servers: [{ name: 'a', profile: undefined, cores: undefined, series }],
  }
}

const within = (hour: number, from: number, to: number): boolean => hour >= from && hour < to

describe('an incident', () => {
  const found = (read: (hour: number) => number, days = 2) =>
    incidentsOf(fleet(days, read).servers[0]!.series, { ...rule, intervalMinutes: 5 })

  test('lasts from the first reading past the limit to the last', () => {
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

test('a server without a profile has the limits of a generic one, and load one only with its cores', () => {
  const limits = (cores: number | undefined) =>
    Object.fromEntries(
      criticalRules.map(({ metric, limitOf }) => [
        metric,
        limitOf({ ...fleet(1, () => 50).servers[0]!, cores }),
      ]),
    )
  expect(limits(undefined)).toMatchObject({ mem_used_pct: 95, disk_usage_pct: 95 })
  expect(limits(undefined)['load_average']).toBeUndefined()
  expect(limits(4)['load_average']).toBe(12)
})

describe('warnings', () => {
  const history = fleet(3, (hour) => (within(hour, 40, 42) ? 95 : 50))
  const v = networkMetricNames.indexOf('mem_used_pct')
  const name = 'mem_used_pct > 90'

  /** Forecasts every hour: the worst reading within 8 hours is `peakAt(hour)` for certain. */
  function reportOf(peakAt: (hour: number) => number) {
    const score = openIncidentScore(history, [toRule(rule)], {
      causeOf: () => ({ kind: 'memory_leak', slow: true, onset: t0 }),
    })
    for (let hour = 24; hour < 64; hour++) {
      const peaks = new Float32Array(peakMinutes.length * V * Q)
      for (let p = 0; p < 3; p++) {
        peaks.fill(peakAt(hour), (p * V + v) * Q, (p * V + v + 1) * Q)
      }
      score.add({ server: 0, now: t0 + hour * hourMs }, { peaks, row: 0 })
    }
    return score.report()
  }
  const forecastAlone = (peakAt: (hour: number) => number) =>
    reportOf(peakAt)[name]!.contenders['forecast alone']!

  test('that come in time and never else are perfect', () => {
    const perfect = forecastAlone((hour) => (hour >= 32 && hour < 40 ? 95 : 50))
    expect(perfect).toMatchObject({ averagePrecision: 1, precision: 1, falseAlarmsPerServerDay: 0 })
    expect(perfect.recallAt['0.02']).toBe(1)
    expect(perfect.leadMinutes.p50).toBe(480)
    expect(perfect.groups).toMatchObject({
      novel: { n: 1, recall: 1 },
      recurrent: { n: 0, recall: null },
      slow: { n: 1, foreseen: 1 },
      'cause memory_leak': { n: 1 },
    })
  })

  test('that never come find nothing', () => {
    const silent = forecastAlone(() => 50)
    expect(silent.recallAt['0.1']).toBe(0)
    expect(silent.precision).toBeNull()
    expect(silent.groups['slow']!.recall).toBe(0)
  })

  test('at the wrong time are false alarms, and cost the recall they would have bought', () => {
    const wrong = forecastAlone((hour) => (hour % 4 === 0 ? 95 : 50))
    expect(wrong.recallAt['0.02']).toBe(0)
    expect(wrong.averagePrecision!).toBeLessThan(0.5)
  })

  test('share one budget over all rules, and are compared with trends and last week', () => {
    const report = reportOf(() => 50)
    expect(Object.keys(report)).toEqual(['all', name])
    expect(report['all']!.n).toBe(1)
    expect(Object.keys(report[name]!.contenders)).toEqual([
      'incident-frequency',
      'linear-1h',
      'linear-6h',
      'linear-24h',
      'forecast alone',
    ])
  })

  test('compare the baselines alone where there is no model', () => {
    const score = openIncidentScore(history, [toRule(rule)])
    for (let hour = 24; hour < 64; hour++) score.add({ server: 0, now: t0 + hour * hourMs })
    const { n, contenders, groups } = score.report()[name]!
    expect(n).toBe(1)
    expect(Object.keys(contenders)).not.toContain('forecast alone')
    expect(groups['slow']).toBeUndefined()
  })
})

test('a line that leads to the limit is an alert of Prometheus, a day that repeats is one of last week', () => {
  const climbing = fleet(2, (hour) => Math.min(95, 50 + Math.max(0, hour - 30) * 4))
  const daily = fleet(3, (hour) => (within(hour % 24, 10, 12) ? 95 : 50))
  const contendersOf = (history: FleetHistory) => {
    const score = openIncidentScore(history, [toRule(rule)])
    const hours = (history.to - t0) / hourMs
    for (let hour = 25; hour < hours - 8; hour++) {
      score.add({ server: 0, now: t0 + hour * hourMs })
    }
    return score.report()['all']!.contenders
  }
  expect(contendersOf(climbing)['linear-6h']!.recallAt['0.02']).toBe(1)
  expect(contendersOf(climbing)['incident-frequency']!.recallAt['0.02']).toBe(0)
  expect(contendersOf(daily)['incident-frequency']!.recallAt['0.02']).toBe(1)
})
