type Seen = { times: Float64Array; n: number; latest: number; all: Set<number> | undefined }

/**
 * Throws when one server has two rows for one instant. Rows in order of time cost one comparison; only a server
 * whose rows are not in order gets a set.
 */
export function openDuplicateCheck(serverNames: readonly string[]): {
  readonly check: (server: number, at: number, row: number) => void
} {
  const seen: Seen[] = []

  function check(server: number, at: number, row: number): void {
    const own = (seen[server] ??= {
      times: new Float64Array(1024),
      n: 0,
      latest: -1,
      all: undefined,
    })
    if (at <= own.latest) {
      own.all ??= new Set(own.times.subarray(0, own.n))
      if (own.all.has(at)) {
        throw new Error(
          `column timestamp, row ${row}: server ${serverNames[server]} already has a row at ` +
            `"${new Date(at).toISOString()}"`,
        )
      }
    }
    if (at > own.latest) own.latest = at
    if (own.all) {
      own.all.add(at)
      return
    }
    if (own.n === own.times.length) {
      const larger = new Float64Array(2 * own.n)
      larger.set(own.times)
      own.times = larger
    }
    own.times[own.n++] = at
  }

  return { check }
}
