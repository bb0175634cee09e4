/** Between two looks; a longer break means that this machine slept, or that its clock was set. */
const longestBreakMs = 15_000

/**
 * Since when the hub hears agents without a break. While it was stopped, asleep or away from its broker nobody could
 * be heard, and nobody is missed for that.
 */
export function hearing({
  now,
  connectedSince,
}: {
  readonly now: () => number
  /** Undefined while the hub is not connected to its broker. */
  readonly connectedSince: () => number | undefined
}) {
  let since = now()
  let lookedAt = since

  return {
    /** Once a second. */
    look(): void {
      const at = now()
      if (Math.abs(at - lookedAt) > longestBreakMs) since = at
      lookedAt = at
    },
    since(): number | undefined {
      const connected = connectedSince()
      return connected === undefined ? undefined : Math.max(connected, since)
    },
  }
}
