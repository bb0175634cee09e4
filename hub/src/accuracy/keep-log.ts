import { minuteMs } from '@harbinger/shared/window/series'
import type { WindowBatch } from '@harbinger/shared/window/window-batch'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import type { LoggedForecast } from '../storage/forecast-log-store.ts'
import type { Server } from '../storage/server-store.ts'
import type { HubStores } from '../storage/stores.ts'
import { inSlices, nextTurn } from '../window/slices.ts'
import { thresholdKeeper } from './thresholds.ts'
import { toLogged } from './to-logged.ts'

/** One forecast of a server in so many minutes is logged; which minute it is differs from server to server. */
export const logEveryMinutes = 60
/** Some 5 ms of writing. */
const perTransaction = 64

export type MadeBatch = {
  readonly batch: WindowBatch
  /** Row i of the batch is the window of rows[i], and made[i] its forecast. */
  readonly rows: readonly { readonly server: string }[]
  readonly made: readonly ServerForecast[]
  readonly windowEnd: number
  /** The model that was at work; null while only baselines were. */
  readonly model: string | null
  /** What models that do not serve yet say of the same windows. */
  readonly challengers?: readonly {
    readonly model: string
    readonly made: readonly ServerForecast[]
  }[]
  /** Told which rows are logged: the place to ask a model that does not serve yet of the same windows. */
  readonly onDue?: ((rows: readonly number[]) => void) | undefined
}

export type LogKeeper = ReturnType<typeof logKeeper>

/** Keeps a sample of the forecasts that are issued. */
export function logKeeper({
  db,
  servers,
  forecastLog,
  rollups,
}: Pick<HubStores, 'db' | 'servers' | 'forecastLog' | 'rollups'>) {
  const thresholds = thresholdKeeper(rollups)
  const slots = new Map<number, number>()

  /** True once in an hour, also when the very minute was left out; a hub that starts waits for the next turn. */
  function isDue(serverId: number, windowEnd: number): boolean {
    const slot = Math.floor((windowEnd / minuteMs + (serverId % logEveryMinutes)) / logEveryMinutes)
    const before = slots.get(serverId)
    slots.set(serverId, slot)
    return before !== undefined && slot > before
  }

  const keep = db.transaction((forecasts: readonly LoggedForecast[]) => {
    for (const forecast of forecasts) forecastLog.add(forecast)
  })

  /** Adds what is due of one batch; the event loop has its turn in between. Returns how many were logged. */
  return async ({ batch, rows, made, windowEnd, model, challengers = [], onDue }: MadeBatch) => {
    const dueServers: { readonly row: number; readonly server: Server }[] = []
    await inSlices(rows.entries(), ([row, { server: name }]) => {
      const server = servers.find(name)
      if (server && isDue(server.id, windowEnd)) dueServers.push({ row, server })
    })
    const all = [
      { model, made, served: true },
      ...challengers.map((c) => ({ ...c, served: false })),
    ]
    const due: LoggedForecast[] = []
    for (const { row, server } of dueServers) {
      const own = await thresholds(server.id, windowEnd)
      for (const { model, made, served } of all) {
        const forecast = made[row]
        if (!forecast || forecast.abstained !== null) continue
        due.push({
          ...{ serverId: server.id, windowEnd, issuedAt: forecast.issuedAt, served, model },
          profile: server.profile,
          metrics: toLogged({ forecast, server, batch, row, thresholds: own }),
        })
      }
      await nextTurn()
    }
    if (dueServers.length > 0) onDue?.(dueServers.map(({ row }) => row))
    for (let from = 0; from < due.length; from += perTransaction) {
      keep(due.slice(from, from + perTransaction))
      await nextTurn()
    }
    return due.length
  }
}
