import { expect, test } from 'vitest'
import { Q } from './quantiles.ts'
import { settle } from './settle.ts'

const steps = (make: (step: number, q: number) => number) =>
  Float32Array.from({ length: 32 * Q }, (_, i) => make(Math.floor(i / Q), i % Q))
const peaks = (value: number) => new Float32Array(3 * Q).fill(value)

test('quantiles come out in order and within the range', () => {
  const numbers = { quantiles: steps((_, q) => [50, -4, 20, 130, 99, 10, 60][q]!), peaks: peaks(0) }
  expect(settle(numbers, 'mem_used_pct')).toBe(true)
  expect([...numbers.quantiles.slice(0, Q)]).toEqual([0, 10, 20, 50, 60, 99, 100])
})

test('a peak is never below what a step or a shorter window inside it reaches', () => {
  // Step 3 is the last of the first hour, step 20 lies in the last window only.
  const numbers = {
    quantiles: steps((step, q) => (step === 3 ? 40 : step === 20 ? 70 : 10) + q),
    peaks: peaks(30),
  }
  settle(numbers, 'load_average')
  expect([...numbers.peaks.slice(0, Q)]).toEqual([40, 41, 42, 43, 44, 45, 46])
  expect([...numbers.peaks.slice(Q, 2 * Q)]).toEqual([40, 41, 42, 43, 44, 45, 46])
  expect([...numbers.peaks.slice(2 * Q)]).toEqual([70, 71, 72, 73, 74, 75, 76])
})

test('of idle the worst is the lowest: no peak is above a step inside it', () => {
  const numbers = { quantiles: steps((step, q) => (step === 20 ? 5 : 60) + q), peaks: peaks(30) }
  settle(numbers, 'cpu_idle_pct')
  expect([...numbers.peaks.slice(Q, 2 * Q)]).toEqual(Array(Q).fill(30))
  expect([...numbers.peaks.slice(2 * Q)]).toEqual([5, 6, 7, 8, 9, 10, 11])
})

test.each([NaN, Infinity, -Infinity])('%d makes it all useless', (bad) => {
  const quantiles = steps((_, q) => q)
  quantiles[100] = bad
  expect(settle({ quantiles, peaks: peaks(9) }, 'mem_used_pct')).toBe(false)
  expect(settle({ quantiles: steps((_, q) => q), peaks: peaks(bad) }, 'mem_used_pct')).toBe(false)
})
