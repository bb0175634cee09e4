import type { ServerSummary } from '@harbinger/shared/api'
import { expect, test } from 'vitest'
import { limitOf, shownAs } from './shown-metrics.ts'
import { byTimeToBreak, countedFromNow, thresholdSentence, whenReached } from './threshold.ts'

const memory = shownAs('mem_used_pct')
const cpu = shownAs('cpu_idle_pct')

test('says the chance, the middle and the earliest time', () => {
  expect(
    thresholdSentence(
      memory,
      { threshold: 95, probability: 0.7, earliestMinutes: 75, medianMinutes: 130 },
      { now: 60, horizonMinutes: 480 },
    ),
  ).toBe('Reaches 95.0\u00a0% in 2 h 10 min: 70\u00a0% likely within 8 h, earliest in 1 h 15 min.')
})

test('says "not within 8 h" where so', () => {
  expect(
    thresholdSentence(
      memory,
      { threshold: 95, probability: 0, earliestMinutes: null, medianMinutes: null },
      { now: 60, horizonMinutes: 480 },
    ),
  ).toBe('Limit 95.0\u00a0%: not within 8 h (under 2\u00a0% likely).')
})

test('of disk it tells days', () => {
  const days = { threshold: 90, withinMinutes: 14 * 1440 }
  const told = { now: 60, horizonMinutes: 480 }
  const disk = shownAs('disk_usage_pct')
  expect(
    thresholdSentence(
      disk,
      { ...days, probability: 0.7, earliestMinutes: 4500, medianMinutes: 9000 },
      told,
    ),
  ).toBe('Reaches 90.0\u00a0% in 6 days: 70\u00a0% likely within 14 days, earliest in 3 days.')
  expect(
    thresholdSentence(
      disk,
      { ...days, probability: 0, earliestMinutes: null, medianMinutes: null },
      told,
    ),
  ).toBe('Limit 90.0\u00a0%: not within 14 days (under 2\u00a0% likely).')
})

test.each([
  [{ medianMinutes: 130, earliestMinutes: 75 }, 'in 2 h 10 min'],
  [{ medianMinutes: 9000, earliestMinutes: 4500, withinMinutes: 20160 }, 'in 6 days'],
  [{ medianMinutes: null, earliestMinutes: 240 }, 'perhaps in 4 h'],
  [{ medianMinutes: null, earliestMinutes: null }, 'not within 8 h'],
  [{ medianMinutes: null, earliestMinutes: null, withinMinutes: 20160 }, 'not within 14 days'],
])('%o is reached %s', (time, words) => {
  const told = { threshold: 90, probability: 0.5, ...time }
  expect(whenReached(told, { horizonMinutes: 480 })).toBe(words)
})

test('a possible breach is not called expected', () => {
  expect(
    thresholdSentence(
      memory,
      { threshold: 95, probability: 0.12, earliestMinutes: 240, medianMinutes: null },
      { now: 60, horizonMinutes: 480 },
    ),
  ).toBe('May reach 95.0\u00a0%: 12\u00a0% likely within 8 h, earliest in 4 h.')
})

test('a limit that is already reached is said as a fact, not as a forecast', () => {
  expect(
    thresholdSentence(
      cpu,
      { threshold: 5, probability: 1, earliestMinutes: 0, medianMinutes: 0 },
      { now: 97, horizonMinutes: 480 },
    ),
  ).toBe('At or over its limit, 95.0\u00a0%.')
})

test('idle is never shown: its limit is said of CPU used', () => {
  expect(cpu.label).toBe('CPU used')
  expect(limitOf(cpu, 5)).toBe(95)
})

const row = (name: string, risk: number, median: number | null, earliest: number | null) =>
  ({
    name,
    risk,
    riskNow: risk,
    metrics: {},
    timeToThreshold: {
      metric: 'mem_used_pct',
      threshold: 95,
      probability: 0.5,
      medianMinutes: median,
      earliestMinutes: earliest,
    },
  }) as ServerSummary

test('the first to break stands first; risk decides among those that do not', () => {
  const rows = [row('d', 20, null, null), row('c', 60, null, null), row('b', 40, null, 30)]
  const sorted = [...rows, row('a', 50, 200, 100), row('e', 10, 15, 15)].sort(byTimeToBreak)
  expect(sorted.map(({ name }) => name)).toEqual(['e', 'a', 'b', 'c', 'd'])
})

test('a server in trouble now stands above one that will be', () => {
  const over = { ...row('over', 40, 0, 0), metrics: { mem_used_pct: { now: 96, in30Minutes: 96 } } }
  const sorted = [row('later', 30, 15, 15), over, row('risky', 90, null, null)].sort(byTimeToBreak)
  expect(sorted.map(({ name }) => name)).toEqual(['risky', 'over', 'later'])
})

test('minutes to a limit run on as the forecast grows old', () => {
  const time = { threshold: 95, probability: 0.5, earliestMinutes: 5, medianMinutes: 40 }
  expect(countedFromNow(time, { since: 0, now: 12 * 60_000 })).toEqual({
    ...time,
    earliestMinutes: 0,
    medianMinutes: 28,
  })
})
