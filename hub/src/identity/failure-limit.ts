const windowMs = 60_000
/** Failures of one address, and of all together, within a minute. A mistyped token is a few; a guess is thousands. */
const perAddress = 10
const together = 200
/** Addresses that are remembered; more at once are an attack, which the limit for all stops. */
const remembered = 5_000

export type FailureLimit = ReturnType<typeof failureLimit>

/** Slows down whoever tries tokens. What succeeds is not counted: a thousand servers may join behind one address. */
export function failureLimit(now: () => number) {
  const failures = new Map<string, { count: number; until: number }>()
  const all = { count: 0, until: 0 }

  const current = (entry: { count: number; until: number } | undefined): number =>
    entry && entry.until > now() ? entry.count : 0

  function bump(entry: { count: number; until: number }): void {
    if (entry.until <= now()) Object.assign(entry, { count: 0, until: now() + windowMs })
    entry.count++
  }

  return {
    /** Seconds to wait; undefined when this address may try. */
    mustWait(address: string): number | undefined {
      const own = failures.get(address)
      const blocked = current(own) >= perAddress ? own : current(all) >= together ? all : undefined
      return blocked && Math.max(1, Math.ceil((blocked.until - now()) / 1000))
    },
    failed(address: string): void {
      const own = failures.get(address) ?? { count: 0, until: 0 }
      bump(own)
      bump(all)
      failures.delete(address)
      failures.set(address, own)
      if (failures.size > remembered) failures.delete(failures.keys().next().value!)
    },
  }
}
