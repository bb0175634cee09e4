import { expect, test } from 'vitest'
import { learningRate } from './schedule.ts'

test('the learning rate rises in a line, then falls in half a cosine to a hundredth', () => {
  const schedule = { steps: 1100, peak: 0.01 }
  expect(learningRate(schedule, 50)).toBeCloseTo(0.005, 10)
  expect(learningRate(schedule, 100)).toBeCloseTo(0.01, 10)
  expect(learningRate(schedule, 600)).toBeCloseTo(0.01 * 0.505, 10)
  expect(learningRate(schedule, 1100)).toBeCloseTo(0.0001, 10)
})

test('a short run warms up for a tenth of it', () => {
  expect(learningRate({ steps: 50, peak: 1 }, 5)).toBe(1)
  expect(learningRate({ steps: 50, peak: 1 }, 1)).toBeCloseTo(0.2, 10)
})
