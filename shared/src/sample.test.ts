import { expect, test } from 'vitest'
import { deprecatedMetricNames, metricNames, metrics } from './metrics.ts'
import { checkSample, maxClockSkewMs } from './sample.ts'
import { contractVersion } from './version.ts'

const now = Date.UTC(2026, 0, 1)
const cpu = { cpu_user_pct: 20, cpu_sys_pct: 5, cpu_iowait_pct: 5, cpu_idle_pct: 70 }
const sample = (more: object = {}) => ({ v: '1.0', seq: 1, at: now, cores: 16, m: cpu, ...more })
const verdictOf = (more: object) => checkSample(sample(more), now)

test('a sample of the contract is kept as it is', () => {
  expect(checkSample(sample(), now)).toEqual({ sample: sample(), unknownReadings: 0 })
})

test('a sample may say little: absent is not 0', () => {
  expect(checkSample({ v: '1.0', seq: 0, at: now, m: {} }, now)).toEqual({
    sample: { v: '1.0', seq: 0, at: now, m: {} },
    unknownReadings: 0,
  })
})

test('unknown readings are dropped and counted, extra ones are only dropped', () => {
  expect(verdictOf({ m: { ...cpu, cpu_steal_pct: 1, fan_rpm: 2, gpu_pct: 'hot' } })).toEqual({
    sample: sample(),
    unknownReadings: 2,
  })
})

test.each(metricNames)('%s is refused outside its range, and named', (name) => {
  for (const wrong of [-0.1, metrics[name].max === undefined ? Infinity : 100.1, '5', null, true]) {
    const verdict = verdictOf({ m: { [name]: wrong } })
    expect(verdict).toMatchObject({ rejected: 'out_of_range' })
    expect((verdict as { detail: string }).detail).toContain(name)
  }
  expect(verdictOf({ m: { [name]: 0 } })).toHaveProperty('sample')
  expect(verdictOf({ m: { [name]: 100 } })).toHaveProperty('sample')
})

test.each(deprecatedMetricNames)('%s of the predecessor is refused by name', (name) => {
  const verdict = verdictOf({ m: { ...cpu, [name]: 1 } })
  expect(verdict).toMatchObject({ rejected: 'deprecated_metric' })
  expect((verdict as { detail: string }).detail).toContain(name)
})

test.each([
  [99.4, 'cpu_sum'],
  [99.5, undefined],
  [100.5, undefined],
  [100.6, 'cpu_sum'],
])('CPU parts that add up to %d: %s', (sum, reason) => {
  const verdict = verdictOf({ m: { ...cpu, cpu_idle_pct: sum - 30 } })
  expect((verdict as { rejected?: string }).rejected).toBe(reason)
})

test('three CPU parts are not added up', () => {
  expect(verdictOf({ m: { cpu_user_pct: 20, cpu_sys_pct: 5, cpu_iowait_pct: 5 } })).toHaveProperty(
    'sample',
  )
})

test('another major version is refused, and both are named', () => {
  const verdict = verdictOf({ v: '2.1.0' })
  expect(verdict).toMatchObject({ rejected: 'contract_version' })
  const { detail } = verdict as { detail: string }
  expect(detail).toContain('2.1.0')
  expect(detail).toContain(contractVersion)
  expect(verdictOf({ v: '1.9' })).toHaveProperty('sample')
})

test('five minutes ahead is a clock, more is the future', () => {
  expect(verdictOf({ at: now + maxClockSkewMs })).toHaveProperty('sample')
  expect(verdictOf({ at: now + maxClockSkewMs + 1 })).toMatchObject({ rejected: 'from_the_future' })
  expect(verdictOf({ at: 0 })).toHaveProperty('sample')
})

test.each([
  [undefined],
  [null],
  ['text'],
  [[]],
  [{}],
  [{ v: '1.0', seq: 1, at: now }],
  [sample({ m: [] })],
  [sample({ m: null })],
  [sample({ v: 1 })],
  [sample({ seq: -1 })],
  [sample({ seq: 1.5 })],
  [sample({ seq: '1' })],
  [sample({ seq: 2 ** 53 })],
  [sample({ at: -1 })],
  [sample({ at: 1.5 })],
  [sample({ at: '2026-01-01' })],
  [sample({ cores: 0 })],
  [sample({ cores: 1.5 })],
])('%j is not a sample', (message) => {
  const verdict = checkSample(message, now)
  expect(verdict).toMatchObject({ rejected: 'not_a_sample' })
  expect((verdict as { detail: string }).detail).not.toBe('')
})
