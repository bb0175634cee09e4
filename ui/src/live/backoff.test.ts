import { expect, test } from 'vitest'
import { retryAfterMs } from './backoff.ts'

test('waits longer after every failure, and never longer than half a minute', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 50].map((attempt) => retryAfterMs(attempt, () => 1))
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

test('never asks again at once', () => {
  expect(retryAfterMs(0, () => 0)).toBe(500)
})
