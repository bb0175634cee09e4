import { describe, expect, test } from 'vitest'
import { breachChance, timeToThreshold } from './time-to-threshold.ts'
import { predictedPeaks } from './predicted-peaks.ts'

/** Quantiles ±10 around a middle that climbs by `slope` a step. */
function climbing(start: number, slope: number) {
  const spread = [-10, -6, -3, 0, 3, 6, 10]
  const at = (step: number) => spread.map((x) => start + slope * step + x)
  return {
    quantiles: Float32Array.from(Array.from({ length: 32 }, (_, step) => at(step)).flat()),
    peaks: Float32Array.from([at(3), at(15), at(31)].flat()),
  }
}

describe('time to threshold', () => {
  test('is a chance, an earliest and a middle time', () => {
    expect(timeToThreshold(climbing(60, 1), { threshold: 90 })).toEqual({
      threshold: 90,
      probability: expect.closeTo(0.583, 2) as number,
      earliestMinutes: 24 * 15,
      medianMinutes: 31 * 15,
    })
  })

  test('says when it is not within the horizon', () => {
    expect(timeToThreshold(climbing(40, 0), { threshold: 90 })).toEqual({
      ...{ threshold: 90, probability: 0, earliestMinutes: null, medianMinutes: null },
    })
  })

  test('of idle counts downwards', () => {
    const falling = timeToThreshold(climbing(60, -2), { threshold: 10, worsens: 'down' })
    expect(falling).toMatchObject({ earliestMinutes: 22 * 15, medianMinutes: 26 * 15 })
    expect(falling.probability).toBeGreaterThan(0.9)
  })

  test('is now when it is there already', () => {
    expect(timeToThreshold(climbing(95, 0), { threshold: 80 }).earliestMinutes).toBe(0)
  })
})

test('a limit beyond the outer quantile has no chance, on either side', () => {
  const quantiles = [1, 2, 3, 4, 5, 6, 7]
  expect(breachChance(quantiles, { threshold: 7.1 })).toBe(0)
  expect(breachChance(quantiles, { threshold: 7 })).toBeCloseTo(0.02)
  expect(breachChance(quantiles, { threshold: 4 })).toBeCloseTo(0.5)
  expect(breachChance(quantiles, { threshold: 0.9, worsens: 'down' })).toBe(0)
  expect(breachChance(quantiles, { threshold: 4, worsens: 'down' })).toBeCloseTo(0.5)
})

test('predicted peaks are pessimistic over the next half hour, CPU used from idle', () => {
  const forecast = { mem_used_pct: climbing(50, 4), cpu_idle_pct: climbing(40, -5) }
  expect(predictedPeaks(forecast)).toEqual({ mem_used_pct: 60, cpuUsed: 71 })
  expect(predictedPeaks({})).toBeUndefined()
})
