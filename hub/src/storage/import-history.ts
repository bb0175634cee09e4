import type { Profile } from '@harbinger/shared/profiles'
import type { Inventory } from '@harbinger/shared/sample'
import {
  addValues,
  emptySeries,
  minuteOf,
  minutesPerQuarter,
  type Series,
  setMinute,
} from '@harbinger/shared/window/series'
import { keepQuarterFromStored, quarterSums } from './quarters.ts'
import type { Retention } from './retention.ts'
import type { HubStores } from './stores.ts'
import { toReadings } from './sample-store.ts'
import type { Server } from './server-store.ts'

/** Numbers of imported samples do not mix with those of an agent. */
const importedRun = -1
const dayMs = 86_400_000
const rowsPerTransaction = 20_000

export type HistoryRow = {
  readonly server: string
  readonly at: number
  /** 14 readings in the order of the contract, NaN where not measured. */
  readonly values: Float32Array
  readonly profile?: Profile | undefined
  readonly cores?: number | undefined
}

/** The minute and the quarter of a server that are being filled. */
type Open = {
  readonly server: Server
  readonly series: Series
  minute: number
  highest: number
  readonly quarter: ReturnType<typeof quarterSums>
  /** The first and the last quarter, and those come back to: made of all their stored minutes at the end. */
  readonly again: Set<number>
  profile: Profile | undefined
}

/**
 * Takes rows of a history into the tiers: minutes and quarters, and the samples themselves where the raw tier reaches
 * back. Rows may come in any order, those of one server best in order of time. Taking a file twice is taking it once.
 */
export function historyImporter(
  { db, servers, samples, rollups }: Omit<HubStores, 'close'>,
  { now, retention }: { readonly now: number; readonly retention: Retention },
) {
  const rawFrom = now - retention.rawDays * dayMs
  const minuteFrom = minuteOf(now - retention.minuteDays * dayMs)
  const open = new Map<string, Open>()
  let rows = 0

  const openServer = (name: string): Open => {
    const server = servers.register(name, now)
    const made = {
      ...{ server, series: emptySeries({ minutes: 1, quarters: 1 }), minute: -1, highest: -1 },
      ...{ quarter: quarterSums(), again: new Set<number>(), profile: undefined },
    }
    open.set(name, made)
    return made
  }

  const closeMinute = (o: Open): void => {
    if (o.minute < 0) return
    const { server, series, minute, quarter } = o
    if (minute >= minuteFrom) rollups.putMinute(server.id, minute, series)
    const q = Math.floor(minute / minutesPerQuarter)
    if (q !== quarter.at()) closeQuarter(o, q)
    quarter.add(series)
  }
  const closeQuarter = ({ server, quarter }: Open, next: number): void => {
    const at = quarter.at()
    if (at >= 0) rollups.putQuarter(server.id, at, quarter.rollup())
    quarter.start(next)
  }
  const openMinute = (o: Open, minute: number): void => {
    closeMinute(o)
    const quarter = Math.floor(minute / minutesPerQuarter)
    const cameBack =
      quarter !== o.quarter.at() && quarter === Math.floor(o.highest / minutesPerQuarter)
    if (cameBack || minute <= o.highest || o.highest < 0) o.again.add(quarter)
    const stored = minute <= o.highest ? rollups.minute(o.server.id, minute) : undefined
    Object.assign(o.series, emptySeries({ minutes: 1, quarters: 1 }))
    if (stored) setMinute(o.series, minute, stored)
    o.minute = minute
    o.highest = Math.max(o.highest, minute)
  }

  db.exec('BEGIN')
  return {
    add({ server: name, at, values, profile, cores }: HistoryRow): void {
      const o = open.get(name) ?? openServer(name)
      const minute = minuteOf(at)
      if (minute !== o.minute) openMinute(o, minute)
      addValues(o.series, at, values)
      const { server } = o
      if (cores !== undefined) servers.setCores(server, cores)
      if (profile !== undefined) o.profile = profile
      if (at >= rawFrom) {
        const readings = toReadings(
          new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
        )
        samples.add({
          ...{ serverId: server.id, at, run: importedRun, seq: Math.floor(at / 1000) },
          ...{ arrivedAt: now, flags: 0, cores, readings },
        })
        if (at > server.newestAt) server.latest = { at, readings }
      }
      if (at > server.newestAt) server.newestAt = at
      if (++rows % rowsPerTransaction === 0) db.exec('COMMIT; BEGIN')
    },

    /** Marks a server as one that does not exist, or says what else is known of it. */
    describe(name: string, inventory: Inventory): void {
      servers.setInventory((open.get(name) ?? openServer(name)).server, inventory)
    },

    /** Closes what is open and commits; returns what was taken. */
    finish(): { readonly rows: number; readonly servers: number } {
      for (const o of open.values()) {
        closeMinute(o)
        o.again.add(o.quarter.at())
        closeQuarter(o, o.quarter.at())
        for (const quarter of o.again) keepQuarterFromStored(rollups, o.server.id, quarter)
        if (o.profile !== undefined && !o.server.inventory) {
          servers.setAgentProfile(o.server, o.profile)
        }
        servers.saveProgress(o.server)
      }
      db.exec('COMMIT')
      return { rows, servers: open.size }
    },

    /** Leaves out what was not yet committed. */
    abandon(): void {
      if (db.inTransaction) db.exec('ROLLBACK')
    },
  }
}
