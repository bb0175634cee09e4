import { type MetricName, metricNames, type Readings } from '@harbinger/shared/metrics'
import type { Database } from './database.ts'

/** Set where the agent's clock was too far off, and the arrival placed the sample. */
export const placedByArrival = 1

/** One sample of the raw tier. */
export type StoredSample = {
  readonly serverId: number
  /** Its place on the time axis. */
  readonly at: number
  readonly run: number
  readonly seq: number
  readonly arrivedAt: number
  readonly flags: number
  readonly cores: number | undefined
  readonly readings: Readings
}

export type SampleStore = ReturnType<typeof sampleStore>

/** The raw tier: every sample as it came, once each, until retention lets it go. */
export function sampleStore(db: Database) {
  const insert = db.prepare(
    `INSERT INTO samples (server_id, at, run, seq, arrived_at, flags, cores, readings)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  )
  const between = db.prepare<[number, number, number], Row>(
    'SELECT at, readings FROM samples WHERE server_id = ? AND at >= ? AND at < ? ORDER BY at',
  )
  const bounds = db.prepare<[number], { first: number | null; last: number | null; n: number }>(
    'SELECT min(at) AS first, max(at) AS last, count(*) AS n FROM samples WHERE server_id = ?',
  )
  const oldest = db.prepare<[number], number | null>(
    'SELECT min(at) FROM samples WHERE server_id = ?',
  )
  oldest.pluck()
  const exists = db.prepare<[number, number, number, number], number>(
    'SELECT 1 FROM samples WHERE server_id = ? AND at = ? AND run = ? AND seq = ?',
  )
  exists.pluck()
  const seqs = db.prepare<[number, number], number>(
    'SELECT seq FROM samples WHERE server_id = ? AND run = ?',
  )
  seqs.pluck()
  /** Numbers of the server last asked about, which needs all its rows read. */
  let asked: { serverId: number; run: number; seqs: Set<number> } | undefined
  const remove = db.prepare('DELETE FROM samples WHERE server_id = ? AND at < ?')

  return {
    /** False when it is there already: MQTT redelivers after a lost acknowledgement. */
    add(s: StoredSample): boolean {
      if (asked?.serverId === s.serverId && asked.run === s.run) asked.seqs.add(s.seq)
      return (
        insert.run(
          s.serverId,
          s.at,
          s.run,
          s.seq,
          s.arrivedAt,
          s.flags,
          s.cores ?? null,
          toBlob(s.readings),
        ).changes === 1
      )
    },

    has: (serverId: number, { at, run, seq }: { at: number; run: number; seq: number }): boolean =>
      exists.get(serverId, at, run, seq) === 1,

    /** Whether this number is there at any time. Slow: reads all of the server's rows, once for a batch. */
    hasSeq(serverId: number, { run, seq }: { run: number; seq: number }): boolean {
      if (asked?.serverId !== serverId || asked.run !== run) {
        asked = { serverId, run, seqs: new Set(seqs.all(serverId, run)) }
      }
      return asked.seqs.has(seq)
    },

    /** After a transaction that did not happen. */
    forgetAsked(): void {
      asked = undefined
    },

    /** Calls back with 14 readings per sample (NaN: absent); the array is reused. */
    each(serverId: number, range: Range, visit: (at: number, readings: Float32Array) => void) {
      for (const row of between.iterate(serverId, range.from, range.to)) {
        scratchBytes.set(row.readings)
        visit(row.at, scratch)
      }
    },

    bounds: (serverId: number) => bounds.get(serverId)!,

    /** Deletes at most `spanMs` of a server's oldest samples before `at`; returns how many went. */
    forgetBefore(serverId: number, at: number, spanMs: number): number {
      const first = oldest.get(serverId) ?? null
      if (first === null || first >= at) return 0
      return remove.run(serverId, Math.min(at, first + spanMs)).changes
    },
  }
}

export type Range = { readonly from: number; readonly to: number }
type Row = { readonly at: number; readonly readings: Buffer }

const scratch = new Float32Array(metricNames.length)
const scratchBytes = new Uint8Array(scratch.buffer)

/** SQLite copies what is bound, so one buffer serves every insert. */
function toBlob(readings: Readings): Uint8Array {
  for (let i = 0; i < metricNames.length; i++) scratch[i] = readings[metricNames[i]!] ?? NaN
  return scratchBytes
}

/** The readings in a stored blob; absent where NaN. */
export function toReadings(blob: Uint8Array): Readings {
  scratchBytes.set(blob)
  const readings: { [name in MetricName]?: number } = {}
  for (const [i, name] of metricNames.entries()) {
    if (!Number.isNaN(scratch[i]!)) readings[name] = scratch[i]!
  }
  return readings
}
