/** Commits wait this long for company: one transaction costs 0.35 ms of a fast disk, however much it holds. */
const gatherMs = 4
/** Where they cost more they wait for more company, so that the event loop is theirs for a fifth of the time at most… */
const restShare = 4
/** …but nobody waits longer than this. */
const longestGatherMs = 50
/** …or until so many messages wait. */
const maxGroup = 256

/**
 * Gathers messages and keeps them together. `keep` is called once for a group; each message's promise settles after
 * it, so whoever waits for one knows that it is committed, or that storage failed.
 */
export function groupCommit<Message, Kept>(keep: (group: readonly Message[]) => Kept) {
  let waiting: { message: Message; resolve: (kept: Kept) => void; reject: (e: unknown) => void }[] =
    []
  let timer: NodeJS.Timeout | undefined
  let tookMs = 0

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    const group = waiting
    waiting = []
    if (group.length === 0) return
    let kept: Kept
    const began = performance.now()
    try {
      kept = keep(group.map(({ message }) => message))
    } catch (error) {
      for (const { reject } of group) reject(error)
      return
    } finally {
      tookMs = performance.now() - began
    }
    for (const { resolve } of group) resolve(kept)
  }

  return {
    add: (message: Message): Promise<Kept> =>
      new Promise((resolve, reject) => {
        waiting.push({ message, resolve, reject })
        if (waiting.length >= maxGroup) flush()
        else timer ??= setTimeout(flush, gatherAfter(tookMs))
      }),
    flush,
    waiting: (): number => waiting.length,
  }
}

/** How long messages gather when the last group took so long to keep. */
export const gatherAfter = (tookMs: number): number =>
  Math.min(longestGatherMs, Math.max(gatherMs, restShare * tookMs))
