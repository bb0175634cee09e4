import { ForecastSchema, ServerDetailSchema, ServerSummarySchema } from '@harbinger/shared/api'
import { Q } from '@harbinger/shared/forecast/quantiles'
import { minuteMs } from '@harbinger/shared/window/series'
import { Check } from 'typebox/value'
import { describe, expect, test } from 'vitest'
import type { MetricForecast, ServerForecast } from '../forecast/server-forecast.ts'
import { noForecast, toForecastAnswer } from './forecast-answer.ts'
import { stepAt } from './forecast-steps.ts'
import { type RowFacts, toDetail, toSummary } from './rows.ts'
import { duration, serverSentence } from './sentence.ts'
import { mostPressing } from './threshold-times.ts'

const now = Date.parse('2026-03-02T10:00:00Z')
const minutes = (n: number) => n * minuteMs

/** What the ramp is at an instant: 40, and a point more each minute from `now` on. */
const ramp = (at: number) => 40 + (at - now) / minuteMs

const spread = [-3, -2, -1, 0, 1, 2, 3]
const forecastOf = (value: (at: number) => number, windowEnd = now): MetricForecast => ({
  source: 'model:base-1',
  sourceReason: 'better than the baseline in the backtest',
  // The middle of each step stands for it.
  quantiles: Float32Array.from({ length: 32 * Q }, (_, i) => {
    const step = Math.floor(i / Q)
    return value(windowEnd + minutes(15 * step + 7.5)) + spread[i % Q]!
  }),
  peaks: Float32Array.from({ length: 3 * Q }, (_, i) => 80 + spread[i % Q]!),
})

const serverForecast = (changes: Partial<ServerForecast> = {}): ServerForecast => ({
  server: 'db01',
  issuedAt: now,
  windowEnd: now,
  abstained: null,
  metrics: { mem_used_pct: forecastOf(ramp), cpu_idle_pct: forecastOf((at) => 100 - ramp(at)) },
  ...changes,
})

const facts = (changes: Partial<RowFacts> = {}): RowFacts => ({
  now,
  server: {
    name: 'db01',
    profile: 'database',
    profileSource: 'rule',
    simulated: false,
    tags: ['prod'],
    cores: 16,
  },
  state: 'healthy',
  presence: { state: 'heard', why: null, since: null },
  conflict: false,
  latest: { at: now - 5000, readings: { cpu_idle_pct: 60.04, mem_used_pct: 40 } },
  forecast: serverForecast(),
  risk: { score: 12.34, now: 10, predicted: null, severity: 'healthy' },
  timeToThreshold: {},
  ...changes,
})

const memory = (median: number | null, earliest: number | null, probability = 0.7) => ({
  mem_used_pct: {
    threshold: 95,
    probability,
    medianMinutes: median,
    earliestMinutes: earliest,
  },
})

describe('a row', () => {
  test('follows the schema and shows CPU as used', () => {
    const row = toSummary(facts())
    expect(Check(ServerSummarySchema, row)).toBe(true)
    expect(row).toMatchObject({
      cpuUsed: 39.96,
      risk: 12.3,
      riskPredicted: null,
      source: 'model:base-1',
      abstained: null,
      cores: 16,
      lastSeen: '2026-03-02T09:59:55.000Z',
    })
    expect(row.metrics.swap_used_pct).toBeUndefined()
  })

  test.each([0, 1, 7, 14, 15, 29, 44, 120, 440])(
    '"+30 min" is what is there 30 minutes later, with a forecast %d minutes old',
    (age) => {
      const windowEnd = now - minutes(age)
      const forecast = serverForecast({
        windowEnd,
        metrics: {
          mem_used_pct: forecastOf(ramp, windowEnd),
          cpu_idle_pct: forecastOf((at) => 100 - ramp(at), windowEnd),
        },
      })
      const row = toSummary(facts({ forecast }))
      const later = row.metrics.mem_used_pct!.in30Minutes!
      // A step is 15 minutes long and stands for its middle: the value then is at most half a step away.
      expect(Math.abs(later - ramp(now + minutes(30)))).toBeLessThanOrEqual(7.5)
      expect(row.cpuUsedIn30Minutes).toBeCloseTo(later, 3)
    },
  )

  test('a forecast that does not reach so far is not stretched', () => {
    const old = serverForecast({ windowEnd: now - minutes(460) })
    expect(toSummary(facts({ forecast: old })).metrics.mem_used_pct).toEqual({
      now: 40,
      in30Minutes: null,
    })
  })

  test('what is not known is null', () => {
    const row = toSummary(facts({ latest: undefined, forecast: undefined, risk: undefined }))
    expect(Check(ServerSummarySchema, row)).toBe(true)
    expect(row).toMatchObject({
      cpuUsed: null,
      cpuUsedIn30Minutes: null,
      risk: null,
      severity: 'unknown',
      metrics: {},
      timeToThreshold: null,
      lastSeen: null,
      source: null,
      abstained: 'no forecast has been made yet',
    })
  })

  test('a reading from half an hour ago is not "now"', () => {
    const row = toSummary(
      facts({ latest: { at: now - minutes(30), readings: { mem_used_pct: 40 } } }),
    )
    expect(row.metrics.mem_used_pct!.now).toBeNull()
    expect(row.lastSeen).toBe('2026-03-02T09:30:00.000Z')
  })

  test('an abstention carries its reason and no numbers', () => {
    const forecast = serverForecast({ abstained: 'no sample for 20 minutes', metrics: {} })
    expect(toSummary(facts({ forecast }))).toMatchObject({
      abstained: 'no sample for 20 minutes',
      source: null,
      cpuUsedIn30Minutes: null,
    })
  })

  test('times to the threshold count from now', () => {
    const forecast = serverForecast({ windowEnd: now - minutes(10) })
    const row = toSummary(facts({ forecast, timeToThreshold: memory(180, 5) }))
    expect(row.timeToThreshold).toMatchObject({ medianMinutes: 170, earliestMinutes: 0 })
  })
})

test('the most pressing metric is the one most likely there first', () => {
  const time = (median: number | null, earliest: number | null) => ({
    threshold: 1,
    probability: 0.5,
    medianMinutes: median,
    earliestMinutes: earliest,
  })
  expect(mostPressing({})).toBeNull()
  expect(mostPressing({ mem_used_pct: time(null, null) })).toBeNull()
  expect(mostPressing({ mem_used_pct: time(null, 15), load_average: time(60, 30) })?.metric).toBe(
    'load_average',
  )
  expect(mostPressing({ mem_used_pct: time(null, 15), load_average: time(null, 30) })?.metric).toBe(
    'mem_used_pct',
  )
})

test('a server page follows the schema', () => {
  const detail = toDetail({
    ...facts({ timeToThreshold: memory(180, 120) }),
    reasons: [{ component: 'memory', kind: 'now', points: 10, text: 'memory 97 %' }],
    unknown: ['swap'],
    limits: { mem_used_pct: { warning: 90, critical: 95 } },
    conflictOf: null,
    retired: null,
    inventory: { os: 'Debian' },
    agent: {
      status: 'online',
      statusReason: null,
      clockSkewMs: null,
      quarantined: {},
      lastQuarantined: [],
      certificate: 'none',
      interval: { seconds: 10, from: 'own', own: 10, rule: null },
      unknownReadings: 0,
      own: null,
    },
  })
  expect(Check(ServerDetailSchema, detail)).toBe(true)
  expect(detail.sentence).toBe(
    'Memory may reach 95 % in about 3 h (70 % likely within 8 h, earliest in 2 h).',
  )
})

describe('the sentence', () => {
  const silent = { at: now - minutes(42), readings: {} }
  const learning = serverForecast({ abstained: 'learning: 7 of the first 15 minutes', metrics: {} })
  const abstained = serverForecast({ abstained: 'no sample for 20 minutes', metrics: {} })
  const full = { at: now, readings: { mem_used_pct: 96.5 } }
  const busy = { cpu_idle_pct: { ...memory(60, 30).mem_used_pct, threshold: 2 } }
  const cases: [string, Partial<RowFacts>, string][] = [
    ['quiet', {}, 'Nothing is expected to reach its limit within 8 h.'],
    [
      'unlikely',
      { timeToThreshold: memory(null, null, 0) },
      'Nothing is expected to reach its limit within 8 h.',
    ],
    [
      'possible',
      { timeToThreshold: memory(null, 135, 0.304) },
      'Memory may reach 95 % within 8 h (30 % likely, earliest in 2 h 15 min).',
    ],
    [
      'certain and soon',
      { timeToThreshold: memory(14, 0, 0.98) },
      'Memory may reach 95 % within 15 min (at least 98 % likely within 8 h, earliest now).',
    ],
    [
      'already there',
      { latest: full, timeToThreshold: memory(15, 0, 0.98) },
      'Memory is at 96.5 %, its limit is 95 %. Nothing else is expected to reach its limit within 8 h.',
    ],
    [
      'CPU, in terms of what is used',
      { timeToThreshold: busy },
      'CPU used may reach 98 % in about 1 h (70 % likely within 8 h, earliest in 30 min).',
    ],
    ['learning', { forecast: learning }, 'Learning: 7 of the first 15 minutes.'],
    ['abstained', { forecast: abstained }, 'No forecast: no sample for 20 minutes.'],
    ['not yet', { forecast: undefined }, 'No forecast has been made yet.'],
    ['never seen', { latest: undefined }, 'No sample has arrived yet.'],
    ['silent', { latest: silent }, 'Silent for 42 min: nothing is known of how it is now.'],
    [
      'late',
      { presence: { state: 'late', why: 'silent', since: now - 40_000 }, forecast: undefined },
      'Late: not heard for 40 s. No forecast has been made yet.',
    ],
    [
      'connected, without samples',
      { presence: { state: 'late', why: 'no_samples', since: now - minutes(4) } },
      'Late: its agent is connected, but no sample came for 4 min. Nothing is expected to reach its limit within 8 h.',
    ],
    [
      'lost',
      { presence: { state: 'offline', why: 'lost', since: now - minutes(3) } },
      'Offline: its connection was lost; not heard for 3 min. Nothing is known of how it is now; its last values are shown.',
    ],
    [
      'stopped',
      { presence: { state: 'offline', why: 'stopped', since: now - minutes(75) } },
      'Offline: its agent was stopped 1 h 15 min ago. Nothing is known of how it is now; its last values are shown.',
    ],
    [
      'old',
      { forecast: serverForecast({ windowEnd: now - minutes(25) }) },
      'Nothing is expected to reach its limit within 8 h. The forecast is 25 min old.',
    ],
  ]
  test.each(cases)('%s', (_, changes, expected) => {
    expect(serverSentence(facts(changes))).toBe(expected)
  })

  test.each([
    [0.4, '0 min'],
    [59, '59 min'],
    [60, '1 h'],
    [135, '2 h 15 min'],
    [48 * 60 + 30, '2 d'],
  ])('%d minutes is %s', (n, text) => expect(duration(n)).toBe(text))
})

describe('a forecast in the words of the API', () => {
  test('has every quantile of every step and peak', () => {
    const answer = toForecastAnswer(serverForecast(), memory(180, 120))
    expect(Check(ForecastSchema, answer)).toBe(true)
    expect(answer).toMatchObject({ stepMinutes: 15, horizonMinutes: 480, abstained: null })
    const { quantiles, source } = answer.metrics.mem_used_pct!
    expect(source).toBe('model:base-1')
    expect(Object.keys(quantiles)).toEqual(['0.02', '0.1', '0.25', '0.5', '0.75', '0.9', '0.98'])
    expect(quantiles['0.5']).toHaveLength(32)
    expect(quantiles['0.5']![0]).toBe(47.5)
    expect(quantiles['0.9']![1]).toBe(64.5)
    expect(Object.keys(answer.peaks)).toEqual(['60', '240', '480'])
    expect(answer.peaks['480']!.mem_used_pct!['0.98']).toBe(83)
    expect(answer.metrics.swap_used_pct).toBeUndefined()
  })

  test('says when there is none yet', () => {
    const answer = noForecast('db01', now)
    expect(Check(ForecastSchema, answer)).toBe(true)
    expect(answer.abstained).toBe('no forecast has been made yet')
  })
})

test('a step holds its beginning and not its end', () => {
  expect(stepAt(now, now)).toBe(0)
  expect(stepAt(now, now + minutes(15) - 1)).toBe(0)
  expect(stepAt(now, now + minutes(15))).toBe(1)
  expect(stepAt(now, now - 1)).toBeUndefined()
  expect(stepAt(now, now + minutes(480))).toBeUndefined()
})
