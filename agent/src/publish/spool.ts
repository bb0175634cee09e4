import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Spooled } from './segment.ts'
import { spoolFiles } from './spool-files.ts'

/** Keeps samples until the hub says they are committed. */
export type Spool = {
  add(sample: Spooled): void
  forgetUpTo(seq: number): void
  /** The oldest samples it keeps, at most `limit`, with no number missing between them; empty when it keeps none. */
  first(limit: number): Promise<readonly Spooled[]>
  /** The `seq` of the oldest sample it keeps; undefined when it keeps none. */
  oldest(): number | undefined
  /** The `seq` of the last sample added, in this run or an earlier one; undefined before the first. */
  last(): number | undefined
  state(): SpoolState
  /** Settles when what was added so far is on disk, or the disk was found not to take it. */
  idle(): Promise<void>
  close(): Promise<void>
}

export type SpoolState = {
  readonly samples: number
  /** On disk, together with what is acknowledged and not yet removed. */
  readonly bytes: number
  /** Samples given up because there was no room, they were too old, or the disk lost them; since the spool began. */
  readonly dropped: number
  /** Why samples are kept in memory alone; undefined while the disk takes them. */
  readonly problem: string | undefined
}

export type SpoolOptions = {
  readonly maxBytes: number
  readonly maxAgeMs: number
  /** How many samples wait in memory for a disk that does not take them. */
  readonly maxInMemory: number
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>
  readonly log: Log
}

/** Samples written at once; a longer queue only stands behind a disk that was away. */
const maxWrite = 200
/** A write takes microseconds, on a busy disk seconds; beyond this the disk hangs. */
const hangsAfterMs = 15_000

/**
 * The spool of an agent, in the folder `spool` of its state directory. A sample is handed to the disk at once and
 * stays in memory until the disk has it: a disk that is full, read-only or hanging costs no sample as long as memory
 * lasts, and never holds up sampling. Whether the disk works again is tried with every sample.
 */
export function openSpool(
  stateDirectory: string,
  { maxBytes, maxAgeMs, maxInMemory, clock, log }: SpoolOptions,
): Spool {
  const folder = join(stateDirectory, 'spool')
  const files = spoolFiles(folder, { maxBytes, maxAgeMs, clock, log })
  /** Not on disk yet, oldest first. */
  const queue: Spooled[] = []
  let problem: string | undefined
  let writing: Promise<void> | undefined
  let writingSince = 0
  /** So many at the head of the queue are being written. */
  let inFlight = 0
  let isClosed = false
  let last: number | undefined

  attempt(() => files.load())
  last = files.last()

  function fails(reason: string) {
    if (problem === undefined) {
      log.error(
        { folder, reason },
        `samples cannot be spooled to disk and are kept in memory (at most ${maxInMemory}): free space, or make the folder writable`,
      )
    }
    problem = reason
  }

  function works() {
    if (problem !== undefined) {
      log.info({ folder, waiting: queue.length }, 'samples are spooled to disk again')
    }
    problem = undefined
  }

  function attempt(act: () => void) {
    try {
      act()
    } catch (error) {
      fails((error as Error).message)
    }
  }

  function forgetQueued(upTo: number) {
    while (queue.length > 0 && queue[0]!.seq <= upTo) queue.shift()
  }

  async function writeOut() {
    try {
      while (queue.length > 0 && !isClosed) {
        const samples = upToGap(queue, maxWrite)
        const end = samples.at(-1)!.seq
        writingSince = clock.monotonicMs()
        inFlight = samples.length
        await files.append(samples)
        log.debug({ upTo: end }, 'spooled')
        works()
        inFlight = 0
        forgetQueued(end)
      }
    } catch (error) {
      fails((error as Error).message)
      forgetQueued(files.last() ?? -1)
    } finally {
      inFlight = 0
      writing = undefined
    }
  }

  function write() {
    if (isClosed) return
    if (writing === undefined) writing = writeOut()
    else if (clock.monotonicMs() - writingSince > hangsAfterMs) {
      fails(`no answer from the disk in ${hangsAfterMs / 1000} s`)
    }
  }

  const inMemory = (): number => {
    const settled = Math.max(files.ackedUpTo(), files.last() ?? -1)
    return queue.reduce((count, { seq }) => count + Number(seq > settled), 0)
  }

  return {
    add(sample) {
      if (last !== undefined && sample.seq <= last) {
        throw new Error(`a spool takes samples in order: got ${sample.seq} after ${last}`)
      }
      last = sample.seq
      queue.push(sample)
      if (queue.length - inFlight > maxInMemory) {
        queue.splice(inFlight, 1)
        files.countDropped(1)
      }
      write()
    },
    forgetUpTo(acknowledged) {
      // A hub that knew an earlier numbering may be ahead; what is not taken yet is not acknowledged.
      const seq = Math.min(acknowledged, last ?? -1)
      files.forgetUpTo(seq)
      // What is being written leaves the queue when it is written.
      if (writing === undefined) forgetQueued(seq)
    },
    async first(limit) {
      const onDisk = await files.first(limit)
      if (onDisk.length > 0) return onDisk
      return upToGap(
        queue.filter(({ seq }) => seq > files.ackedUpTo()),
        limit,
      )
    },
    oldest: () => files.oldest() ?? queue.find(({ seq }) => seq > files.ackedUpTo())?.seq,
    last: () => last,
    state: () => ({
      samples: files.samples() + inMemory(),
      bytes: files.bytes(),
      dropped: files.dropped(),
      problem,
    }),
    idle: async () => writing,
    async close() {
      // A disk that hangs would hold up the goodbye.
      if (problem === undefined) await writing
      isClosed = true
      if (writing !== undefined) return
      await files
        .close()
        .catch((error: Error) => log.warn({ reason: error.message }, 'the spool was not closed'))
    },
  }
}

/** The samples from the first on whose numbers follow each other. */
function upToGap(samples: readonly Spooled[], limit: number): readonly Spooled[] {
  let count = Math.min(1, samples.length)
  while (count < Math.min(limit, samples.length)) {
    if (samples[count]!.seq !== samples[count - 1]!.seq + 1) break
    count++
  }
  return samples.slice(0, count)
}
