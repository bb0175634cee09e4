import { describe, expect, test } from 'vitest'
import { metricNames } from './metrics.ts'
import { profiles } from './profiles.ts'
import {
  breaches,
  criticalLimit,
  isPast,
  limitedMetrics,
  normalCloseWait,
  normalIowait,
  warningLimit,
} from './limits.ts'

test.each([
  ['web_api', 85],
  ['conductor_mgmt', 90],
  ['data_ingest', 90],
  ['risk_analytics', 95],
  ['ml_compute', 98],
] as const)('memory is critical on %s at %i %', (profile, limit) => {
  expect(criticalLimit(profile, 'mem_used_pct')).toBe(limit)
})

describe.each(profiles)('on %s', (profile) => {
  test('a warning comes before its critical limit', () => {
    for (const metric of metricNames) {
      const [warning, critical] = [warningLimit, criticalLimit].map((of) =>
        of(profile, metric, { cores: 8 }),
      )
      if (warning === undefined || critical === undefined) continue
      expect(isPast(metric, critical, warning), metric).toBe(true)
    }
  })

  test('exactly the limited metrics have a critical limit', () => {
    const limited = metricNames.filter(
      (metric) => criticalLimit(profile, metric, { cores: 8 }) !== undefined,
    )
    expect(limited.sort()).toEqual([...limitedMetrics].sort())
  })
})

test('load has a limit only where the cores are known', () => {
  expect(criticalLimit('generic', 'load_average')).toBeUndefined()
  expect(warningLimit('generic', 'load_average')).toBeUndefined()
  expect(criticalLimit('generic', 'load_average', { cores: 4 })).toBe(12)
})

test('breaches are readings at or past their limit; idle is one when it is low', () => {
  const now = { cpu_idle_pct: 1.5, mem_used_pct: 84.9, disk_usage_pct: 95, load_average: 99 }
  expect(breaches('web_api', now)).toEqual(['cpu_idle_pct', 'disk_usage_pct'])
  expect(breaches('ml_compute', { cpu_idle_pct: 1.5 })).toEqual([])
})

test('close-wait is critical at fifty times the usual, and never below 200', () => {
  for (const profile of profiles) {
    for (const metric of ['back_close_wait', 'front_close_wait'] as const) {
      const usual = normalCloseWait(profile, metric)
      expect(criticalLimit(profile, metric)).toBe(Math.max(200, 50 * usual))
      expect(warningLimit(profile, metric)).toBe(Math.max(50, 5 * usual))
    }
    expect(criticalLimit(profile, 'cpu_iowait_pct')).toBe(3 * normalIowait(profile))
    expect(warningLimit(profile, 'cpu_iowait_pct')).toBe(2 * normalIowait(profile))
  }
})
