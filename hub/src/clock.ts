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
      const plan = (): void => {
        const due = (Math.floor(now() / ms) + 1) * ms
        timer = setTimeout(() => {
          // Timers may fire a millisecond early; the tick is still the planned one.
          plan()
          work(due)
        }, due - now())
      }
      plan()
      return () => clearTimeout(timer)
    },
  }
}
