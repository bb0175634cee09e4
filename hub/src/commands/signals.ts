const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** Ctrl-C reaches this process twice, from the terminal and from its launcher: that is one wish. */
const sameWishMs = 1000

/** Settles with the first signal that asks this process to stop. A later one ends it at once. */
export const untilStopped = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      resolve(signal)
      setTimeout(() => {
        for (const name of signals) process.removeListener(name, stop)
      }, sameWishMs).unref()
    }
    for (const name of signals) process.on(name, stop)
  })
