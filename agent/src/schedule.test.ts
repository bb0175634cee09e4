import { describe, expect, test } from 'vitest'
import { nextDue, openSchedule, phaseOf } from './schedule.ts'

/** A clock that stands still until it is moved; timers fire as late as `lateMs` says. */
function fakeClock(start: number) {
  let now = start
  let timer: { at: number; callback: () => void } | undefined
  return {
    now: () => now,
    after(delayMs: number, callback: () => void) {
      const own = { at: now + delayMs, callback }
      timer = own
      return () => {
        if (timer === own) timer = undefined
      }
    },
    set: (ms: number) => (now = ms),
    /** Lets the pending timer fire, `lateMs` after it was due. */
    fire(lateMs = 0) {
      const due = timer
      if (!due) throw new Error('no timer is set')
      timer = undefined
      now = due.at + lateMs
      due.callback()
    },
    pending: () => timer?.at,
  }
}

const open = (clock: ReturnType<typeof fakeClock>, phase = 0) => {
  const instants: number[] = []
  const onDue = () => instants.push(clock.now())
  return { instants, schedule: openSchedule({ clock, intervalMs: 10_000, phase, onDue }) }
}

describe('schedule', () => {
  test('is aligned to the wall clock and does not drift when timers are late', () => {
    const clock = fakeClock(1_004_321)
    const { instants } = open(clock)
    clock.fire(3)
    clock.fire(250)
    clock.fire(7)
    expect(instants).toEqual([1_010_003, 1_020_250, 1_030_007])
    expect(clock.pending()).toBe(1_040_000)
  })

  test('does not sample twice when a timer fires a millisecond early', () => {
    const clock = fakeClock(1_004_000)
    const { instants } = open(clock)
    clock.fire(-1)
    expect(instants).toEqual([])
    clock.fire()
    expect(instants).toEqual([1_010_000])
  })

  test('leaves out what it slept through', () => {
    const clock = fakeClock(1_000_000)
    const { instants } = open(clock)
    clock.fire(3_600_000)
    expect(instants).toHaveLength(1)
    expect(clock.pending()).toBe(1_010_000 + 3_600_000 + 10_000)
  })

  test('follows a clock that was set back', () => {
    const clock = fakeClock(9_000_000)
    const { instants } = open(clock)
    clock.fire(-5_000_000)
    expect(instants).toHaveLength(1)
    expect(clock.pending()).toBe(4_020_000)
  })

  test('takes a new interval at once', () => {
    const clock = fakeClock(1_000_500)
    const { schedule } = open(clock)
    schedule.setInterval(1_000)
    expect(clock.pending()).toBe(1_001_000)
  })

  test('keeps the instants of the old interval where they are some of the new', () => {
    const clock = fakeClock(1_000_500)
    const { instants, schedule } = open(clock, 3_210)
    clock.fire()
    schedule.setInterval(60_000)
    clock.fire()
    schedule.setInterval(10_000)
    clock.fire()
    expect(instants).toEqual([1_003_210, 1_023_210, 1_033_210])
  })

  test('takes no sample right after another when the instants of two intervals differ', () => {
    const clock = fakeClock(990_500)
    const { instants, schedule } = open(clock)
    clock.fire()
    // The first instant of the new interval, 1,001,000, is only a second later.
    schedule.setInterval(7_000)
    expect(clock.pending()).toBe(1_008_000)
    clock.fire()
    expect(instants).toEqual([1_000_000, 1_008_000])
  })

  test('is not held up by a last instant that a clock set back has put into the future', () => {
    const clock = fakeClock(9_000_000)
    const { schedule } = open(clock)
    clock.fire()
    clock.set(1_000_000)
    schedule.setInterval(5_000)
    expect(clock.pending()).toBe(1_005_000)
  })

  test('stops', () => {
    const clock = fakeClock(0)
    open(clock).schedule.close()
    expect(clock.pending()).toBeUndefined()
  })
})

test('the phase moves the instants within the interval', () => {
  expect(nextDue(1_000_000, 10_000, 12_345)).toBe(1_002_345)
  expect(nextDue(1_002_345, 10_000, 12_345)).toBe(1_012_345)
})

test('servers named in a row are spread over the interval', () => {
  const tenths = new Set(
    Array.from({ length: 100 }, (_, i) => Math.floor((phaseOf(`ppml${i}`) % 10_000) / 1_000)),
  )
  expect(tenths.size).toBe(10)
})
