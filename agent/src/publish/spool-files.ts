import {
  close,
  fdatasync,
  ftruncate,
  mkdirSync,
  open,
  readdirSync,
  readFile,
  readFileSync,
  truncateSync,
  unlink,
  write,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { magic, type SegmentRecord, type Spooled, toRecords, walkRecords } from './segment.ts'
import { syncFolder } from './sync-folder.ts'

/** A file of samples whose numbers follow each other without a gap. */
type Segment = {
  readonly path: string
  readonly first: number
  last: number
  bytes: number
  readonly oldestAt: number
  newestAt: number
}

type Options = {
  readonly maxBytes: number
  readonly maxAgeMs: number
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>
  readonly log: Log
}

/** About 900 samples: what is read at once when they are sent again, and what goes at once when room is needed. */
const segmentBytes = 256 * 1024
/** However few samples: so that age takes them in small portions. */
const segmentSpanMs = 6 * 3_600_000
/** A file of one sample takes a block of the file system. */
const blockBytes = 4096
/** How long a sample that the hub does not acknowledge may be on its way from memory to the platter. */
export const syncAfterMs = 30_000
/** A clock that is wrong when the system starts is right by then; before, no sample is called too old. */
const clockSettlesMs = 10 * 60_000

const name = (seq: number): string => `${String(seq).padStart(16, '0')}.spool`
const isSegment = (file: string): boolean => /^\d{16}\.spool$/.test(file)

/**
 * The part of a spool that is on disk: files that are only ever appended to and removed as a whole. Where the hub's
 * acknowledgement stands is written with each sample, so that acknowledging costs no write of its own; samples sent
 * again for want of the last acknowledgement are stored once (docs/decisions/0014).
 */
export function spoolFiles(folder: string, { maxBytes, maxAgeMs, clock, log }: Options) {
  const segments: Segment[] = []
  /** Open while it is appended to; always the last of the segments. */
  let active: { readonly segment: Segment; readonly file: number } | undefined
  let isLoaded = false
  let ackedUpTo = -1
  let dropped = 0
  /** Written with the last record. */
  let written = { ackedUpTo: -1, dropped: 0 }
  let last: number | undefined
  /** The oldest record that may not survive a power failure, and since when. */
  let unsynced: { readonly seq: number; readonly since: number } | undefined
  const startedAt = { wall: clock.now(), monotonic: clock.monotonicMs() }

  const firstKept = (segment: Segment): number => Math.max(segment.first, ackedUpTo + 1)
  const kept = (segment: Segment): number => Math.max(0, segment.last - firstKept(segment) + 1)
  const sizeOf = ({ bytes }: Segment): number => Math.max(bytes, blockBytes)
  const bytes = (): number => segments.reduce((sum, segment) => sum + sizeOf(segment), 0)

  /** Reads what an earlier run left behind. */
  function load() {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = readdirSync(folder).filter(isSegment).sort()
    const loaded = found.flatMap(
      (file, i) => loadSegment(join(folder, file), { isLast: i === found.length - 1 }) ?? [],
    )
    segments.push(...loaded)
    isLoaded = true
    written = { ackedUpTo, dropped }
    last = segments.at(-1)?.last
    const waiting = segments.reduce((sum, segment) => sum + kept(segment), 0)
    if (waiting > 0) log.info({ waiting, folder }, 'samples of an earlier run wait for the hub')
  }

  function loadSegment(path: string, { isLast }: { isLast: boolean }): Segment | undefined {
    const content = readFileSync(path)
    let first: number | undefined
    let end = -1
    let oldestAt: number | undefined
    let newestAt = 0
    // The checksums of older files are looked at when they are sent; only the last one can end in the middle.
    const { whole } = walkRecords(
      content,
      (record) => {
        ackedUpTo = Math.max(ackedUpTo, record.ackedUpTo)
        dropped = Math.max(dropped, record.dropped)
        first ??= record.seq
        oldestAt ??= record.at
        end = Math.max(end, record.seq)
        newestAt = Math.max(newestAt, record.at)
      },
      { check: isLast, wants: () => false },
    )
    if (whole < content.length) {
      log.warn(
        { file: path, bytes: content.length - whole },
        'the end of a spool file was torn (the system or the disk failed while it was written) and is cut off',
      )
      cutOff(path, whole)
    }
    if (first === undefined) {
      unlink(path, ignore)
      return undefined
    }
    return { path, first, last: end, bytes: whole, oldestAt: oldestAt ?? newestAt, newestAt }
  }

  async function append(samples: readonly Spooled[]): Promise<void> {
    if (!isLoaded) load()
    const next = samples[0]!
    let current = active?.segment
    if (!current || isFull(current, next)) current = await begin(next)
    const { file } = active!
    const records = toRecords(samples, { ackedUpTo, dropped })
    makeRoom(records.length)
    try {
      await writeFully(file, records, current.bytes)
    } catch (error) {
      // Half a record must not stand before the next one; if even that fails, the next one is written over it.
      await truncateAsync(file, current.bytes).catch(ignore)
      throw error
    }
    written = { ackedUpTo, dropped }
    current.bytes += records.length
    current.last = last = samples.at(-1)!.seq
    current.newestAt = Math.max(current.newestAt, samples.at(-1)!.at)
    if (current.last > ackedUpTo) unsynced ??= { seq: next.seq, since: clock.monotonicMs() }
    removeAcknowledged()
    if (unsynced && clock.monotonicMs() - unsynced.since >= syncAfterMs) await sync(file)
  }

  const isFull = (segment: Segment, { seq, at }: Spooled): boolean =>
    segment.bytes >= segmentBytes ||
    seq !== segment.last + 1 ||
    Math.abs(at - segment.oldestAt) > segmentSpanMs

  /** A new file is empty until its first sample is in it, and then belongs to the spool. */
  async function begin(next: Spooled): Promise<Segment> {
    await finish()
    const path = join(folder, name(next.seq))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    // A file of this name holds what an earlier try could not finish.
    const file = await openAsync(path, 'w', 0o600)
    try {
      await writeFully(file, magic, 0)
      await syncFolder(folder)
    } catch (error) {
      await closeAsync(file).catch(ignore)
      unlink(path, ignore)
      throw error
    }
    const segment = {
      path,
      first: next.seq,
      last: next.seq - 1,
      bytes: magic.length,
      oldestAt: next.at,
      newestAt: next.at,
    }
    segments.push(segment)
    active = { segment, file }
    return segment
  }

  async function finish(): Promise<void> {
    if (!active) return
    const { file, segment } = active
    active = undefined
    if (segment.last > ackedUpTo) await sync(file).catch(ignore)
    await closeAsync(file)
    if (segment.last < segment.first) remove(segment)
  }

  async function sync(file: number): Promise<void> {
    unsynced = undefined
    await fdatasyncAsync(file)
  }

  function remove(segment: Segment): void {
    segments.splice(segments.indexOf(segment), 1)
    unlink(segment.path, (error) => {
      if (error && error.code !== 'ENOENT') {
        log.warn({ file: segment.path, reason: error.message }, 'a spool file cannot be removed')
      }
    })
  }

  /** The last file stays: it knows what was acknowledged and dropped. */
  function removeAcknowledged(): void {
    while (segments.length > 1 && segments[0]!.last <= ackedUpTo) remove(segments[0]!)
  }

  function makeRoom(needed: number): void {
    while (segments.length > 1 && (bytes() + needed > maxBytes || isTooOld(segments[0]!))) {
      const [oldest] = segments as [Segment]
      const samples = kept(oldest)
      if (samples > 0) {
        dropped += samples
        log.warn(
          { samples, dropped },
          isTooOld(oldest)
            ? 'samples were dropped: the hub has not taken them for too long (spoolDays)'
            : 'samples were dropped: the spool is full (spoolMegabytes)',
        )
      }
      remove(oldest)
    }
  }

  /** Both clocks have to say so: the one on the wall may have been set, the other does not know a wrong start. */
  function isTooOld({ newestAt }: Segment): boolean {
    const elapsed = clock.monotonicMs() - startedAt.monotonic
    const now = Math.min(clock.now(), startedAt.wall + elapsed)
    return elapsed >= clockSettlesMs && now - newestAt > maxAgeMs
  }

  async function read(segment: Segment, limit: number): Promise<readonly Spooled[]> {
    const from = firstKept(segment)
    const { last: end, bytes: length } = segment
    let content: Buffer
    try {
      content = await readFileAsync(segment.path)
    } catch (error) {
      if (!segments.includes(segment)) return []
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      content = Buffer.alloc(0)
    }
    const samples: SegmentRecord[] = []
    let found = segment.first - 1
    walkRecords(
      content.subarray(0, length),
      (record) => {
        found = record.seq
        if (record.json !== '' && samples.length < limit) samples.push(record)
      },
      { wants: (seq) => seq >= from && samples.length < limit },
    )
    if (found < end && segments.includes(segment)) lose(segment, Math.max(found, from - 1))
    return samples
  }

  /** What lies behind a damaged record cannot be told from it. */
  function lose(segment: Segment, lastWhole: number): void {
    const samples = segment.last - lastWhole
    dropped += samples
    log.error(
      { file: segment.path, samples, dropped },
      'samples were lost: a spool file is damaged (checksum)',
    )
    if (active?.segment === segment) {
      // The next sample begins a new file, because its number does not follow.
      segment.last = lastWhole
    } else if (lastWhole < firstKept(segment)) remove(segment)
    else segment.last = lastWhole
  }

  return {
    load,
    append,
    /** The oldest samples of one file, at most `limit`. */
    async first(limit: number): Promise<readonly Spooled[]> {
      for (;;) {
        const segment = segments.find((candidate) => kept(candidate) > 0)
        if (!segment) return []
        const samples = await read(segment, limit)
        if (samples.length > 0) return samples
      }
    },
    forgetUpTo(seq: number) {
      if (seq <= ackedUpTo) return
      ackedUpTo = seq
      if (unsynced && unsynced.seq <= seq) {
        unsynced = last !== undefined && last > seq ? { ...unsynced, seq: seq + 1 } : undefined
      }
    },
    ackedUpTo: () => ackedUpTo,
    oldest(): number | undefined {
      const segment = segments.find((candidate) => kept(candidate) > 0)
      return segment && firstKept(segment)
    },
    last: () => last,
    samples: (): number => segments.reduce((sum, segment) => sum + kept(segment), 0),
    bytes,
    dropped: () => dropped,
    countDropped(count: number) {
      dropped += count
    },
    async close(): Promise<void> {
      if (active && (written.ackedUpTo !== ackedUpTo || written.dropped !== dropped)) {
        const { file, segment } = active
        const position = { seq: segment.last, at: segment.newestAt, json: '' }
        await writeFully(file, toRecords([position], { ackedUpTo, dropped }), segment.bytes)
      }
      await finish()
    },
  }
}

const ignore = (): void => {}

function cutOff(path: string, length: number): void {
  try {
    truncateSync(path, length)
  } catch {
    // Read-only: it is cut in memory, and again at the next start.
  }
}

const openAsync = promisify(open) as (path: string, flags: string, mode: number) => Promise<number>
const closeAsync = promisify(close)
const fdatasyncAsync = promisify(fdatasync)
const truncateAsync = promisify(ftruncate)
const readFileAsync = promisify(readFile) as (path: string) => Promise<Buffer>

async function writeFully(file: number, bytes: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) done += await writeOnce(file, bytes.subarray(done), position + done)
}

/** A disk that fills up takes a part of it and refuses the rest with an error of its own. */
const writeOnce = (file: number, bytes: Buffer, position: number): Promise<number> =>
  new Promise((resolve, reject) =>
    write(file, bytes, 0, bytes.length, position, (error, count) =>
      error ? reject(error) : resolve(count),
    ),
  )
