/** Commits wait this long for company: one transaction costs 0.35 ms of disk, however much it holds. */
export const gatherMs = 4
/** …or until so many messages wait. */
export const maxGroup = 256

/**
 * Gathers messages and keeps them together. `keep` is called once for a group; each message's promise settles after
 * it, so whoever waits for one knows that it is committed, or that storage failed.
 */
export function groupCommit<Message, Kept>(keep: (group: readonly Message[]) => Kept) {
  let waiting: { message: Message; resolve: (kept: Kept) => void; reject: (e: unknown) => void }[] =
    []
  let timer: NodeJS.Timeout | undefined

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    const group = waiting
    waiting = []
    if (group.length === 0) return
    let kept: Kept
    try {
      kept = keep(group.map(({ message }) => message))
    } catch (error) {
      for (const { reject } of group) reject(error)
      return
    }
    for (const { resolve } of group) resolve(kept)
  }

  return {
    add: (message: Message): Promise<Kept> =>
      new Promise((resolve, reject) => {
        waiting.push({ message, resolve, reject })
        if (waiting.length >= maxGroup) flush()
        else timer ??= setTimeout(flush, gatherMs)
      }),
    flush,
    waiting: (): number => waiting.length,
  }
}
