/** Time, handed down from main.ts so that tests can move it. */
export type Clock = {
  /** ms since epoch */
  readonly now: () => number
  /** Calls back at every multiple of `ms` since the epoch; returns how to stop. */
  readonly every: (ms: number, work: (due: number) => void) => () => void
}

/** The machine's clock. A tick that comes late does not move the next one. */
export function systemClock(now: () => number): Clock {
  return {
    now,
    every(ms, work) {
      let timer: NodeJS.Timeout
      let last = 0
      const plan = (): void => {
        const next = (Math.floor(now() / ms) + 1) * ms
        // Timers may fire a millisecond early; the same tick must not come twice.
        const due = next === last ? next + ms : next
        last = due
        timer = setTimeout(() => {
          plan()
          work(due)
        }, due - now())
      }
      plan()
      return () => clearTimeout(timer)
    },
  }
}
