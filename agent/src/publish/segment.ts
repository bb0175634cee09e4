import { crc32 } from './crc32.ts'

/** A sample as the bytes that go on the wire, in the order of `seq`. */
export type Spooled = {
  readonly seq: number
  /** When it was taken, ms since epoch. */
  readonly at: number
  readonly json: string
}

/** What a segment begins with: a file that says otherwise is not read. */
export const magic = Buffer.from('HBSPOOL1', 'latin1')

/** Length and checksum (4 bytes each), then seq, at, ackedUpTo and dropped (8 each); the sample's JSON follows. */
const headerBytes = 40
const checkedFrom = 8
/** A sample is 250 bytes; a length beyond this is no length. */
const maxPayload = 64 * 1024

/** What each record says beside its sample, so that no write of its own is needed for it. */
export type Position = {
  /** What the hub had acknowledged when the record was written. */
  readonly ackedUpTo: number
  /** Samples given up so far, since the spool began. */
  readonly dropped: number
}

export type SegmentRecord = Spooled & Position

/** Records as they stand in a segment, little-endian. One without a sample (`json` empty) only tells its position. */
export function toRecords(samples: readonly Spooled[], { ackedUpTo, dropped }: Position): Buffer {
  const sizes = samples.map(({ json }) => Buffer.byteLength(json))
  const bytes = Buffer.alloc(sizes.reduce((sum, size) => sum + headerBytes + size, 0))
  let at = 0
  for (const [i, sample] of samples.entries()) {
    const end = at + headerBytes + sizes[i]!
    bytes.writeUInt32LE(sizes[i]!, at)
    bytes.writeDoubleLE(sample.seq, at + 8)
    bytes.writeDoubleLE(sample.at, at + 16)
    bytes.writeDoubleLE(ackedUpTo, at + 24)
    bytes.writeDoubleLE(dropped, at + 32)
    bytes.write(sample.json, at + headerBytes)
    bytes.writeUInt32LE(crc32(bytes.subarray(at + checkedFrom, end)), at + 4)
    at = end
  }
  return bytes
}

export type Walk = {
  /** Length of what is whole; anything behind it was cut off or damaged. */
  readonly whole: number
}

/**
 * Visits the records of a segment in order, and stops at the first that is not whole, or cannot follow the one before
 * it: after a power failure any page of what was not synced may be zeros, and bytes read askew would pass for a
 * position far ahead, by which all that is to come were acknowledged.
 */
export function walkRecords(
  bytes: Buffer,
  visit: (record: SegmentRecord) => void,
  { check = true, wants = (_seq: number): boolean => true } = {},
): Walk {
  if (!bytes.subarray(0, magic.length).equals(magic)) return { whole: 0 }
  let at = magic.length
  let before: Numbers | undefined
  while (at + headerBytes <= bytes.length) {
    const size = bytes.readUInt32LE(at)
    const end = at + headerBytes + size
    if (size > maxPayload || end > bytes.length) break
    if (check && crc32(bytes.subarray(at + checkedFrom, end)) !== bytes.readUInt32LE(at + 4)) break
    const seq = bytes.readDoubleLE(at + 8)
    const record = {
      seq,
      ackedUpTo: bytes.readDoubleLE(at + 24),
      dropped: bytes.readDoubleLE(at + 32),
    }
    if (!canFollow(before, record)) break
    before = record
    visit({
      ...record,
      at: bytes.readDoubleLE(at + 16),
      json: wants(seq) ? bytes.toString('utf8', at + headerBytes, end) : '',
    })
    at = end
  }
  return { whole: at }
}

type Numbers = Position & { readonly seq: number }

/** The numbers of a segment follow each other (a position alone repeats the last), and none of the others ever falls. */
function canFollow(before: Numbers | undefined, { seq, ackedUpTo, dropped }: Numbers): boolean {
  if (![seq, ackedUpTo, dropped].every(Number.isSafeInteger)) return false
  if (!before) return true
  return (
    (seq === before.seq || seq === before.seq + 1) &&
    ackedUpTo >= before.ackedUpTo &&
    dropped >= before.dropped
  )
}
