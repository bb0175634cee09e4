import type { WhatIfChange } from '@harbinger/shared/explanation'
import { cpuParts, metricIndex, type MetricName, type Readings } from '@harbinger/shared/metrics'
import {
  addSample,
  closeQuarter,
  emptySeries,
  minuteCell,
  minuteMs,
} from '@harbinger/shared/window/series'
import { describe, expect, test } from 'vitest'
import { editReadings, editSeries, unmeasured } from './edit-readings.ts'
import { refuseWhatIf } from './refuse-what-if.ts'

const readings: Readings = {
  cpu_user_pct: 40,
  cpu_sys_pct: 10,
  cpu_iowait_pct: 20,
  cpu_idle_pct: 30,
  mem_used_pct: 80,
  net_in_mb_s: 12,
}
const sum = (all: Readings) => cpuParts.reduce((total, part) => total + (all[part] ?? NaN), 0)

describe('the CPU parts stay 100 % together', () => {
  const cases: [string, WhatIfChange[], Readings][] = [
    [
      'what user gives up is idle',
      [{ metric: 'cpu_user_pct', multiply: 0.5 }],
      { cpu_user_pct: 20, cpu_idle_pct: 50 },
    ],
    [
      'what it takes comes from idle',
      [{ metric: 'cpu_user_pct', add: 25 }],
      { cpu_user_pct: 65, cpu_idle_pct: 5 },
    ],
    [
      'no more than idle has',
      [{ metric: 'cpu_user_pct', add: 50 }],
      { cpu_user_pct: 70, cpu_idle_pct: 0, cpu_iowait_pct: 20 },
    ],
    [
      'two parts share what there is',
      [
        { metric: 'cpu_user_pct', set: 90 },
        { metric: 'cpu_iowait_pct', set: 90 },
      ],
      { cpu_user_pct: 45, cpu_iowait_pct: 45, cpu_idle_pct: 0, cpu_sys_pct: 10 },
    ],
    [
      'the others share what idle leaves',
      [{ metric: 'cpu_idle_pct', set: 65 }],
      { cpu_user_pct: 20, cpu_sys_pct: 5, cpu_iowait_pct: 10, cpu_idle_pct: 65 },
    ],
  ]
  test.each(cases)('%s', (_, changes, expected) => {
    const edited = editReadings(readings, changes)
    for (const [name, value] of Object.entries(expected)) {
      expect(edited[name as MetricName], name).toBeCloseTo(value, 4)
    }
    expect(sum(edited)).toBeCloseTo(100, 4)
  })

  test('a part that is unknown is not made up', () => {
    const { cpu_idle_pct: _, ...rest } = readings
    expect(editReadings(rest, [{ metric: 'cpu_user_pct', set: 60 }])).toEqual({
      ...rest,
      cpu_user_pct: 60,
    })
  })
})

test('other readings stay within what they can be, and unknown stays unknown', () => {
  const edited = editReadings(readings, [
    { metric: 'mem_used_pct', add: 50 },
    { metric: 'net_in_mb_s', add: -50 },
    { metric: 'swap_used_pct', set: 40 },
  ])
  expect(edited).toMatchObject({ mem_used_pct: 100, net_in_mb_s: 0, cpu_user_pct: 40 })
  expect(edited).not.toHaveProperty('swap_used_pct')
})

describe('a series', () => {
  const end = Date.parse('2026-03-12T10:00:00Z') / minuteMs
  const series = emptySeries()
  for (let m = end - 120; m < end; m++) addSample(series, m * minuteMs, readings)
  closeQuarter(series, end / 15 - 1)
  const changes: WhatIfChange[] = [{ metric: 'cpu_user_pct', multiply: 0.5 }]
  const at = (of: typeof series, minute: number, metric: MetricName) =>
    of.mean[minuteCell(of, minute) + metricIndex[metric]]

  test('is changed in its last minutes alone, with their quarters, and the original not at all', () => {
    const copy = editSeries(series, { changes, minutes: 30, end })
    expect(at(copy, end - 31, 'cpu_user_pct')).toBe(40)
    expect(at(copy, end - 30, 'cpu_user_pct')).toBe(20)
    expect(at(copy, end - 1, 'cpu_idle_pct')).toBe(50)
    const quarter = ((end / 15 - 1) % copy.quarterCapacity) * 14 + metricIndex.cpu_user_pct
    expect(copy.quarterMean[quarter]).toBe(20)
    expect(series.quarterMean[quarter]).toBe(40)
    expect(at(series, end - 1, 'cpu_user_pct')).toBe(40)
    for (const part of cpuParts) {
      const cell = minuteCell(copy, end - 1) + metricIndex[part]
      expect(copy.max[cell], part).toBeGreaterThanOrEqual(copy.mean[cell]!)
      expect(copy.max[cell], part).toBeLessThanOrEqual(100)
    }
  })

  test('says which changes have nothing to act on', () => {
    const asked: WhatIfChange[] = [...changes, { metric: 'swap_used_pct', set: 3 }]
    expect(unmeasured(series, { changes: asked, minutes: 30, end })).toEqual([asked[1]])
  })
})

test.each([
  [{}, 'body: nothing is changed'],
  [{ changes: [] }, 'body: nothing is changed'],
  [
    { changes: [{ metric: 'mem_used_pct' as const }] },
    'body changes.0: must have exactly one of multiply, add and set, got none',
  ],
  [{ changes: [{ metric: 'mem_used_pct' as const, add: 1, set: 2 }] }, 'got add and set'],
  [
    { changes: [{ metric: 'mem_used_pct' as const, set: 101 }] },
    'body changes.0.set: mem_used_pct is at most 100, got 101',
  ],
  [{ changes: [{ metric: 'uptime_days' as const, set: 1 }] }, 'body changes.0.metric: uptime'],
  [
    {
      changes: [
        { metric: 'mem_used_pct' as const, set: 1 },
        { metric: 'mem_used_pct' as const, set: 2 },
      ],
    },
    'body changes.1.metric: mem_used_pct is changed twice',
  ],
  [
    {
      changes: [
        { metric: 'cpu_idle_pct' as const, set: 1 },
        { metric: 'cpu_user_pct' as const, set: 2 },
      ],
    },
    'either cpu_idle_pct or cpu_user_pct',
  ],
])('%j is refused', (request, reason) => {
  expect(refuseWhatIf(request)).toContain(reason)
})

test('a question that can be meant is not refused', () => {
  expect(
    refuseWhatIf({ changes: [{ metric: 'mem_used_pct', add: -12 }], minutes: 60 }),
  ).toBeUndefined()
  expect(refuseWhatIf({ profile: 'database' })).toBeUndefined()
})
