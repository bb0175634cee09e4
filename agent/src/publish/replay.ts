import type { Spool, Spooled } from './spool.ts'

export type Replay = ReturnType<typeof replayOf>

/** Walks once through what a spool holds up to `end`, while newer samples are added and older ones forgotten. */
export function replayOf(
  spool: Pick<Spool, 'after'>,
  { end, batch }: { readonly end: number; readonly batch: number },
) {
  let taken = -1

  return {
    /** The next samples, oldest first; undefined when all were taken. */
    next(): readonly Spooled[] | undefined {
      const samples = spool.after(taken, batch).filter(({ seq }) => seq <= end)
      if (samples.length === 0) return undefined
      taken = samples.at(-1)!.seq
      return samples
    },
    /** An acknowledgement cannot speak for more than this. */
    takenUpTo: () => taken,
  }
}
