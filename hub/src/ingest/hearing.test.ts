import { expect, test } from 'vitest'
import { hearing } from './hearing.ts'

test('nobody is missed for what happened while the hub slept, or was away from its broker', () => {
  let time = 1_000_000
  let connectedSince: number | undefined = time
  const ear = hearing({ now: () => time, connectedSince: () => connectedSince })
  const later = (seconds: number) => {
    time += seconds * 1000
    ear.look()
  }
  later(10)
  expect(ear.since()).toBe(1_000_000)
  later(3_600)
  expect(ear.since()).toBe(time)
  const woke = time
  later(5)
  expect(ear.since()).toBe(woke)
  connectedSince = undefined
  expect(ear.since()).toBeUndefined()
  connectedSince = time
  expect(ear.since()).toBe(time)
})
