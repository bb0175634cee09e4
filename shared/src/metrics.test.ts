import { expect, test } from 'vitest'
import {
  cpuParts,
  cpuUsed,
  isMetricName,
  metricIndex,
  metricNames,
  metrics,
  networkMetricNames,
} from './metrics.ts'

test('there are 14 metrics in the order of the contract', () => {
  expect(metricNames).toHaveLength(14)
  expect(metricNames.map((name) => metricIndex[name])).toEqual([...metricNames.keys()])
  expect(metricNames[3]).toBe('cpu_idle_pct')
  expect(metricNames[13]).toBe('uptime_days')
})

test.each(metricNames)('%s ends at 100 where it is a share, and nowhere else', (name) => {
  const { unit, min, max } = metrics[name]
  expect(min).toBe(0)
  expect(max).toBe(name.endsWith('_pct') ? 100 : undefined)
  expect(unit === '%').toBe(name.endsWith('_pct'))
})

test('the network forecasts all but disk and uptime', () => {
  expect(networkMetricNames).toHaveLength(12)
  expect(networkMetricNames).not.toContain('disk_usage_pct')
  expect(networkMetricNames).not.toContain('uptime_days')
})

test('CPU used is what is not idle, and unknown where idle is', () => {
  expect(cpuUsed({ cpu_idle_pct: 30 })).toBe(70)
  expect(cpuUsed({ cpu_user_pct: 30 })).toBeUndefined()
  expect(cpuParts.every((name) => isMetricName(name))).toBe(true)
})

test.each(['cpu_pct', 'toString', '__proto__', '', 'CPU_USER_PCT'])('%j is no metric', (name) => {
  expect(isMetricName(name)).toBe(false)
})
