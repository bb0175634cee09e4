import { metricNames } from '@harbinger/shared/metrics'
import type { Rollup } from '@harbinger/shared/window/series'
import type { Database } from './database.ts'

const width = metricNames.length

/** One quarter of an hour: mean and max per metric (NaN: not measured) and how many of its minutes were measured. */
export type QuarterRollup = {
  readonly mean: Float32Array
  readonly max: Float32Array
  readonly known: Uint8Array
}

export type RollupStore = ReturnType<typeof rollupStore>

/** The minute tier and the quarter-hour tier, a row per server and step. Visited rollups are reused: copy to keep. */
export function rollupStore(db: Database) {
  const minute = tier(db, { table: 'minutes', key: 'minute', bytes: minuteBytes })
  const quarter = tier(db, { table: 'quarters', key: 'quarter', bytes: quarterBytes })

  return {
    putMinute(serverId: number, at: number, { mean, max, count }: Rollup): void {
      minuteRollup.mean.set(mean)
      minuteRollup.max.set(max)
      minuteRollup.count.set(count)
      minute.put(serverId, at)
    },
    /** Newest first. */
    eachMinute(serverId: number, range: Steps, visit: (minute: number, rollup: Rollup) => void) {
      minute.each(serverId, range, (at) => visit(at, minuteRollup))
    },
    minute: (serverId: number, at: number): Rollup | undefined =>
      minute.get(serverId, at) ? minuteRollup : undefined,
    forgetMinutesBefore: minute.forgetBefore,
    minuteBounds: minute.bounds,

    putQuarter(serverId: number, at: number, { mean, max, known }: QuarterRollup): void {
      quarterRollup.mean.set(mean)
      quarterRollup.max.set(max)
      quarterRollup.known.set(known)
      quarter.put(serverId, at)
    },
    /** Newest first. */
    eachQuarter(
      serverId: number,
      range: Steps,
      visit: (quarter: number, rollup: QuarterRollup) => void,
    ) {
      quarter.each(serverId, range, (at) => visit(at, quarterRollup))
    },
    forgetQuartersBefore: quarter.forgetBefore,
    quarterBounds: quarter.bounds,
  }
}

/** From the first step to before the last. */
export type Steps = { readonly from: number; readonly to: number }

const minuteBytes = new Uint8Array(width * 10)
const minuteRollup: Rollup = {
  mean: new Float32Array(minuteBytes.buffer, 0, width),
  max: new Float32Array(minuteBytes.buffer, width * 4, width),
  count: new Uint16Array(minuteBytes.buffer, width * 8, width),
}
const quarterBytes = new Uint8Array(width * 9)
const quarterRollup: QuarterRollup = {
  mean: new Float32Array(quarterBytes.buffer, 0, width),
  max: new Float32Array(quarterBytes.buffer, width * 4, width),
  known: new Uint8Array(quarterBytes.buffer, width * 8, width),
}

function tier(
  db: Database,
  { table, key, bytes }: { table: 'minutes' | 'quarters'; key: string; bytes: Uint8Array },
) {
  const put = db.prepare(
    `INSERT INTO ${table} (server_id, ${key}, cells) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET cells = excluded.cells`,
  )
  const get = db.prepare<[number, number], Buffer>(
    `SELECT cells FROM ${table} WHERE server_id = ? AND ${key} = ?`,
  )
  get.pluck()
  // All rows of a server as one text of hex digits: a hub that starts reads two million rows, and a Buffer for each
  // of them takes twice as long and leaves 200 MB of scattered memory behind. Newest first, because a series makes
  // room for the newest once and then has a place for all others.
  const between = db.prepare<[number, number, number], string | null>(
    `SELECT group_concat(printf('%08x', ${key}) || hex(cells), '' ORDER BY ${key} DESC) FROM ${table}
     WHERE server_id = ? AND ${key} >= ? AND ${key} < ?`,
  )
  between.pluck()
  const bounds = db.prepare<[number], { first: number | null; last: number | null }>(
    `SELECT min(${key}) AS first, max(${key}) AS last FROM ${table} WHERE server_id = ?`,
  )
  const remove = db.prepare(`DELETE FROM ${table} WHERE server_id = ? AND ${key} < ?`)

  return {
    put: (serverId: number, at: number) => void put.run(serverId, at, bytes),
    get(serverId: number, at: number): boolean {
      const cells = get.get(serverId, at)
      if (cells) bytes.set(cells)
      return cells !== undefined
    },
    each(serverId: number, { from, to }: Steps, visit: (at: number) => void): void {
      const rows = Buffer.from(between.get(serverId, from, to) ?? '', 'hex')
      for (let row = 0; row < rows.length; row += 4 + bytes.length) {
        bytes.set(rows.subarray(row + 4, row + 4 + bytes.length))
        visit(rows.readUInt32BE(row))
      }
    },
    bounds: (serverId: number) => bounds.get(serverId)!,
    /** Deletes at most `span` steps of a server's oldest before step `at`; returns how many went. */
    forgetBefore(serverId: number, at: number, span: number): number {
      const { first } = bounds.get(serverId)!
      if (first === null || first >= at) return 0
      return remove.run(serverId, Math.min(at, first + span)).changes
    },
  }
}
