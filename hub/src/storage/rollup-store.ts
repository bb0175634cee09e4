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
  // All rows of a server at once, their cells end to end: a hub that starts reads two million rows, and a Buffer for
  // each of them takes six times as long and leaves 200 MB of scattered memory behind. SQLite takes the bytes of a
  // BLOB for text as they are, and back; the steps beside them come in the same order, whichever that is.
  const between = db.prepare<[number, number, number], { steps: string | null; cells: Buffer }>(
    `SELECT group_concat(${key}) AS steps, CAST(group_concat(cells, '') AS BLOB) AS cells FROM ${table}
     WHERE server_id = ? AND ${key} >= ? AND ${key} < ?`,
  )
  // Apart, because each alone is found at an end of the index, and both together by reading all of it.
  const bounds = db.prepare<[number, number], { first: number | null; last: number | null }>(
    `SELECT (SELECT min(${key}) FROM ${table} WHERE server_id = ?) AS first,
            (SELECT max(${key}) FROM ${table} WHERE server_id = ?) AS last`,
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
      const { steps, cells } = between.get(serverId, from, to)!
      if (steps === null) return
      const all = steps.split(',')
      // From the end, which is the newest: a series makes room for it once and then has a place for all others.
      for (let row = all.length - 1; row >= 0; row--) {
        bytes.set(cells.subarray(row * bytes.length, (row + 1) * bytes.length))
        visit(Number(all[row]))
      }
    },
    bounds: (serverId: number) => bounds.get(serverId, serverId)!,
    /** Deletes at most `span` steps of a server's oldest before step `at`; returns how many went. */
    forgetBefore(serverId: number, at: number, span: number): number {
      const { first } = bounds.get(serverId, serverId)!
      if (first === null || first >= at) return 0
      return remove.run(serverId, Math.min(at, first + span)).changes
    },
  }
}
