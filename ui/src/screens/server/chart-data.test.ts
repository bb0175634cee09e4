import type { Forecast, Samples } from '@harbinger/shared/api'
import { expect, test } from 'vitest'
import { shownAs } from '../../words/shown-metrics.ts'
import { toColumns, yRange } from './chart-columns.ts'
import { chartSummary, toForecastRows } from './chart-summary.ts'
import { extentOf, noHistory, toHistory, withReading } from './history.ts'
import { toOutlook } from './outlook.ts'

const cpu = shownAs('cpu_idle_pct')
const memory = shownAs('mem_used_pct')
const start = Date.parse('2026-01-01T00:00:00Z')
const minute = 60_000

const samples = (minutes: number[], mean: (number | null)[]): Samples => ({
  server: 'a',
  from: new Date(start).toISOString(),
  to: new Date(start + 60 * minute).toISOString(),
  stepSeconds: 60,
  tier: 'raw',
  at: minutes.map((m) => new Date(start + m * minute).toISOString()),
  metrics: {
    cpu_idle_pct: { mean, max: mean },
    mem_used_pct: { mean, max: mean.map((v) => v && v + 1) },
  },
})

const forecast: Forecast = {
  server: 'a',
  issuedAt: new Date(start + 11 * minute).toISOString(),
  windowEnd: new Date(start + 10 * minute).toISOString(),
  stepMinutes: 15,
  horizonMinutes: 30,
  abstained: null,
  metrics: {
    cpu_idle_pct: {
      source: 'model:m1',
      sourceReason: '',
      quantiles: {
        '0.02': [1, 1],
        '0.1': [10, 8],
        '0.5': [40, 30],
        '0.9': [70, 60],
        '0.98': [90, 95],
      },
    },
  },
  peaks: {},
  timeToThreshold: {},
}

test('a missing stretch becomes a gap and not a line', () => {
  const history = toHistory(samples([0, 1, 2, 9, 10], [50, 51, 52, 53, 54]), memory)
  expect(history.mean).toEqual([50, 51, 52, null, 53, 54])
})

test('an unknown reading is a gap and not 0', () => {
  expect(toHistory(samples([0, 1], [50, null]), cpu).mean).toEqual([50, null])
})

test('idle is turned into CPU used, and its quantiles are inverted', () => {
  expect(toHistory(samples([0], [80]), cpu).mean).toEqual([20])
  const outlook = toOutlook(forecast, cpu)!
  expect(outlook.low96).toEqual([10, 5])
  expect(outlook.low80).toEqual([30, 40])
  expect(outlook.median).toEqual([60, 70])
  expect(outlook.high80).toEqual([90, 92])
  expect(outlook.high96).toEqual([99, 99])
})

test('a metric without forecast has no outlook', () => {
  expect(toOutlook(forecast, memory)).toBeUndefined()
})

test('a reading from the stream is appended once', () => {
  const history = toHistory(samples([0, 1], [50, 51]), memory)
  const reading = { at: start + 2 * minute, value: 60 }
  const longer = withReading(history, reading, memory, 3 * minute)
  expect(longer.mean).toEqual([50, 51, 60])
  expect(withReading(longer, reading, memory, 3 * minute)).toBe(longer)
  expect(
    withReading(longer, { at: start + 20 * minute, value: 7 }, memory, 3 * minute).mean,
  ).toEqual([50, 51, 60, null, 7])
})

test('history and forecast share one axis: a point of one is no gap of the other', () => {
  const history = toHistory(samples([0, 10, 11], [80, 70, 60]), cpu)
  const [seconds, mean, , , , median] = toColumns(history, toOutlook(forecast, cpu))
  expect(seconds).toEqual([...seconds].sort((a, b) => a - b))
  expect(seconds.length).toBe(mean!.length)
  const at = (m: number) => seconds.indexOf((start + m * minute) / 1000)
  expect(mean![at(10)]).toBe(30)
  expect(median![at(10)]).toBe(60)
  expect(median![at(17.5)]).toBe(60)
  expect(median![at(32.5)]).toBe(70)
  expect(median![at(40)]).toBe(70)
  expect(mean![at(17.5)]).toBeUndefined()
})

test('a share that is high is seen against 100, a low one is seen at all', () => {
  const columns = (value: number) => toColumns({ at: [start], mean: [value], max: [] }, undefined)
  expect(yRange(columns(80), { limits: [90, 95], max: 100 })).toEqual([0, 100])
  expect(yRange(columns(2), { limits: [], max: 100 })).toEqual([0, 10])
  expect(yRange(columns(2), { limits: [20], max: 100 })[1]).toBeCloseTo(22)
  expect(yRange(columns(40), { limits: [500], max: undefined })[1]).toBeCloseTo(44)
})

test('the chart can be read without seeing it', () => {
  const history = toHistory(samples([0, 1], [80, 60]), cpu)
  expect(extentOf(noHistory)).toBeUndefined()
  expect(chartSummary(cpu, history, 40, toOutlook(forecast, cpu))).toBe(
    'CPU used, last 24 hours: lowest 20.0\u00a0%, mean 30.0\u00a0%, highest 40.0\u00a0%. Now 40.0\u00a0%. ' +
      'Forecast median in 30 min 70.0\u00a0% (80 %: 40.0\u00a0% to 92.0\u00a0%).',
  )
  expect(toForecastRows(toOutlook(forecast, cpu)!, cpu)).toHaveLength(1)
})
