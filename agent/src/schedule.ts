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
  let cancel = () => {}

  function wait() {
    const due = nextDue(clock.now(), intervalMs, phase)
    cancel = clock.after(due - clock.now(), () => {
      // Timers may fire a millisecond early; sampling then would sample twice.
      if (clock.now() >= due || clock.now() < due - intervalMs) onDue()
      wait()
    })
  }
  wait()

  return {
    setInterval(ms: number) {
      if (ms === intervalMs) return
      intervalMs = ms
      cancel()
      wait()
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
