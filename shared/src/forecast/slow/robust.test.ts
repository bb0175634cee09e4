import { expect, test } from 'vitest'
import { medianOf } from './robust.ts'

const bySorting = (values: readonly number[]): number => {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

test('the middle value is the one that sorting finds, to the bit', () => {
  let state = 7
  const next = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32
  for (let n = 1; n < 400; n++) {
    // Few different values, many, and some that are no numbers or have no end.
    for (const value of [
      () => Math.floor(next() * 5) - 2,
      () => next() - 0.5,
      () => [Infinity, -Infinity, -0, 1][Math.floor(next() * 4)]!,
      () => (next() < 0.1 ? NaN : next()),
    ]) {
      const values = Array.from({ length: n }, value)
      const kept = [...values]
      expect(medianOf(values)).toBe(bySorting(values))
      expect(values).toEqual(kept)
    }
  }
  expect(medianOf([])).toBeUndefined()
})
