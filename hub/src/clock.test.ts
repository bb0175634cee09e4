import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from './clock.ts'

afterEach(() => void vi.useRealTimers())

test('ticks at multiples, once each, also when a timer fires early', () => {
  vi.useFakeTimers({ now: 60_500 })
  const early = 1
  const dues: number[] = []
  const stop = systemClock(() => Date.now() - early).every(1000, (due) => dues.push(due))
  vi.advanceTimersByTime(3500)
  stop()
  vi.advanceTimersByTime(5000)
  expect(dues).toEqual([61_000, 62_000, 63_000])
})

test('after a pause it goes on with the next multiple, not with those missed', () => {
  vi.useFakeTimers({ now: 500 })
  let ahead = 0
  const dues: number[] = []
  systemClock(() => Date.now() + ahead).every(1000, (due) => {
    dues.push(due)
    ahead = 10_000
  })
  vi.advanceTimersByTime(600)
  vi.advanceTimersByTime(1000)
  expect(dues[0]).toBe(1000)
  expect(dues[1]).toBe(2000)
  expect(dues[2]).toBeUndefined()
})

test('goes on when the clock is set back', () => {
  vi.useFakeTimers({ now: 3_600_500 })
  let back = 0
  const dues: number[] = []
  systemClock(() => Date.now() - back).every(1000, (due) => dues.push(due))
  back = 3_600_000
  vi.advanceTimersByTime(2500)
  expect(dues).toEqual([3_601_000, 2000, 3000])
})
