import { expect, test } from 'vitest'
import { exceedance, quantileLevels, quantileOfSorted } from './quantiles.ts'

test('quantiles of few values are interpolated between them', () => {
  expect(quantileOfSorted([1, 2, 3, 4], 0.5)).toBe(2.5)
  expect(quantileOfSorted([1, 2, 3, 4], 0)).toBe(1)
  expect(quantileOfSorted([1, 2, 3, 4], 1)).toBe(4)
  expect(quantileOfSorted([7], 0.9)).toBe(7)
})

test('the chance of a breach is read between the quantiles, and held beyond them', () => {
  const quantiles = quantileLevels.map((level) => 100 * level)
  expect(exceedance(quantiles, 50)).toBeCloseTo(0.5, 10)
  expect(exceedance(quantiles, 60)).toBeCloseTo(0.4, 10)
  expect(exceedance(quantiles, 1)).toBeCloseTo(0.98, 10)
  expect(exceedance(quantiles, 99)).toBeCloseTo(0.02, 10)
  expect(exceedance([0, 0, ...quantiles], 50, 2)).toBeCloseTo(0.5, 10)
})

test('a forecast without width says nearly yes or nearly no', () => {
  const flat = new Array<number>(7).fill(30)
  expect(exceedance(flat, 29)).toBeCloseTo(0.98, 10)
  expect(exceedance(flat, 31)).toBeCloseTo(0.02, 10)
})
