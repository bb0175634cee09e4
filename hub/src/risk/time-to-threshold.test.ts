import { describe, expect, test } from 'vitest'
import { breachChance } from '@harbinger/shared/forecast/chance'
import { timeToThreshold } from './time-to-threshold.ts'
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

test('what the peaks are worth after 1, 4 and 8 hours holds, also where no single step is likely', () => {
  // Every step for itself stays at 50 to 70; one reading in eight hours is above 80 more likely than not.
  const { quantiles } = climbing(60, 0)
  const peaks = Float32Array.from([
    ...[60, 62, 64, 66, 68, 70, 72],
    ...[60, 64, 68, 72, 76, 80, 84],
    ...[70, 74, 78, 82, 86, 90, 94],
  ])
  const said = timeToThreshold({ quantiles, peaks }, { threshold: 80 })
  expect(said.probability).toBeCloseTo(0.625)
  // 10 % by the end of the fourth hour; then 1/16 of the rest a quarter of an hour.
  expect(said).toMatchObject({ earliestMinutes: 15 * 15, medianMinutes: 29 * 15 })
  const came = [0.02, 0.05, 0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.9, 0.95]
  const learnt = timeToThreshold({ quantiles, peaks, chances: came }, { threshold: 80 })
  expect(learnt.probability).toBeCloseTo(0.4625)
  expect(learnt.medianMinutes).toBeNull()
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
