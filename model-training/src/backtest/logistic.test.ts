import { expect, test } from 'vitest'
import { fitLogistic } from './logistic.ts'

test('finds the weights that made the outcomes, whatever the units of the features', () => {
  const features: number[][] = []
  const came: number[] = []
  // Each combination as often as its chance says: nothing is random.
  for (let a = -2; a <= 2; a++) {
    for (let b = 0; b <= 4; b++) {
      const p = 1 / (1 + Math.exp(-(0.5 + 1.2 * a - 0.4 * b)))
      for (let n = 0; n < 2000; n++) {
        features.push([1, a, 1000 * b])
        came.push(n < 2000 * p ? 1 : 0)
      }
    }
  }
  const [constant, first, second] = fitLogistic(features, came) as [number, number, number]
  expect(constant).toBeCloseTo(0.5, 1)
  expect(first).toBeCloseTo(1.2, 1)
  expect(1000 * second).toBeCloseTo(-0.4, 1)
})

test('a feature that never varies gets no weight', () => {
  const fitted = fitLogistic(
    [
      [1, 3, 0],
      [1, 3, 1],
      [1, 3, 0],
      [1, 3, 1],
    ],
    [0, 1, 1, 1],
  )
  expect(fitted.every(Number.isFinite)).toBe(true)
  expect(fitted[1]).toBeCloseTo(0)
})
