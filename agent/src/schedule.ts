import type { Clock } from './clock.ts'

export type Schedule = ReturnType<typeof openSchedule>

type Options = {
  readonly clock: Pick<Clock, 'now' | 'after'>
  readonly intervalMs: number
  /** A number that differs from server to server; it moves the server's instants within the interval. */
  readonly phase: number
  readonly onDue: () => void
}

/**
 * Calls `onDue` at the same instants of the wall clock for ever, whatever the timers do: each wait is computed
 * anew from the clock, so lateness does not add up and a clock that was set is followed at once.
 */
export function openSchedule({ clock, intervalMs: firstIntervalMs, phase, onDue }: Options) {
  let intervalMs = firstIntervalMs
  let sampledAt: number | undefined
  let cancel = () => {}

  function wait(notBefore = clock.now()) {
    const due = nextDue(Math.max(clock.now(), notBefore), intervalMs, phase)
    cancel = clock.after(due - clock.now(), () => {
      // Timers may fire a millisecond early; sampling then would sample twice.
      if (clock.now() >= due || clock.now() < due - intervalMs) {
        sampledAt = clock.now()
        onDue()
      }
      wait()
    })
  }
  wait()

  return {
    /** Holds from the next instant on, which is at most a new interval and a half away. */
    setInterval(ms: number) {
      if (ms === intervalMs) return
      const now = clock.now()
      // Where the old instants are none of the new, the first new one may come right after the last old one: a rate over
      // so short a time says nothing.
      const since = sampledAt !== undefined && sampledAt <= now ? sampledAt : -Infinity
      const notBefore = since + Math.min(intervalMs, ms) / 2
      intervalMs = ms
      cancel()
      wait(notBefore)
    },
    close: () => cancel(),
  }
}

/** The first instant after `now` that is a whole number of intervals, plus the server's share of one, after 1970. */
export function nextDue(now: number, intervalMs: number, phase: number): number {
  const offset = phase % intervalMs
  return now - ((now - offset) % intervalMs) + intervalMs
}

/** FNV-1a: spreads the instants of a fleet over the interval, the same way after every restart. */
export function phaseOf(server: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < server.length; i++) {
    hash = Math.imul(hash ^ server.charCodeAt(i), 0x01000193) >>> 0
  }
  return hash
}
