import { describe, expect, test } from 'vitest'
import { alertFeatures, alertScore, way } from './alert-score.ts'
import { alertWeights } from './alert-weights.ts'
import type { Outlook } from './outlook.ts'
import { isAlerting } from './predicted-alert.ts'

const outlook = (change: Partial<Outlook> = {}): Outlook => ({
  ...{ metric: 'mem_used_pct', room: 30, unit: 100, narrow: 0 },
  ...{ rises: [0, 0, 0], chances: [0.001, 0.001, 0.001] },
  ...change,
})

describe('the score of an alert', () => {
  test('is high where forecast and trends agree that the limit is near, low where neither does', () => {
    const near = outlook({ room: 3, rises: [9, 9, 6], chances: [0.5, 0.8, 0.9] })
    expect(alertScore(near)).toBeGreaterThan(0.5)
    expect(alertScore(outlook())).toBeLessThan(0.05)
  })

  test('has a weight for every feature of every metric that has any', () => {
    const width = alertFeatures(outlook()).length
    for (const [metric, weights] of Object.entries(alertWeights)) {
      expect(weights.length, metric).toBe(width)
      expect(weights.every(Number.isFinite), metric).toBe(true)
    }
  })

  test('is the chance within 8 h where no weights were fitted', () => {
    expect(alertScore(outlook({ metric: 'uptime_days', chances: [0.1, 0.2, 0.3] }))).toBe(0.3)
  })

  test('takes no trend for no way towards the limit, and a limit that is passed for the end of it', () => {
    expect(way(NaN, 10)).toBe(-4)
    expect(way(10, 10)).toBe(0)
    expect(way(5, -1)).toBe(4)
    expect(alertScore(outlook({ room: -1, rises: [NaN, NaN, NaN] }))).toBeGreaterThan(0)
  })
})

test('an alert that wavers is one alert, and none while its incident is there', () => {
  const next = (before: boolean, score: number, inIncident = false) =>
    isAlerting(before, { score, raise: 0.5, inIncident })
  expect(next(false, 0.4)).toBe(false)
  expect(next(false, 0.5)).toBe(true)
  expect(next(true, 0.4)).toBe(true)
  expect(next(true, 0.1)).toBe(false)
  expect(next(true, 0.9, true)).toBe(false)
})
