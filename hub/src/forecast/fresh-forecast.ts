import { fleetBatches, type WindowedServer } from '../window/fleet-batches.ts'
import type { Series } from '@harbinger/shared/window/series'
import type { FleetToForecast } from './forecaster.ts'
import type { ServerForecast } from './server-forecast.ts'

type Row = FleetToForecast['rows'][number]

export type FreshForecastOptions<Server extends WindowedServer> = {
  readonly now: () => number
  readonly find: (name: string) => Server | undefined
  readonly series: (serverId: number) => Series
  readonly forecast: (
    fleet: FleetToForecast,
    how: { readonly urgent: boolean },
  ) => Promise<readonly ServerForecast[]>
  /** What the fleet's cycle would say beside the window. */
  readonly rowOf: (row: Row) => Row
  readonly adapted: () => FleetToForecast['adapted']
  readonly keep: (forecast: ServerForecast) => void
}

/** More wait for nothing: they get what the last cycle said, and `issuedAt` says when that was. */
const mostUnderWay = 32

/**
 * Forecasts one server now, between the rows of the fleet's batch. Whoever asks for the same server meanwhile waits for
 * the same forecast. Settles when it is kept.
 */
export function freshForecast<Server extends WindowedServer>({
  now,
  find,
  series,
  forecast,
  rowOf,
  adapted,
  keep,
}: FreshForecastOptions<Server>): (name: string) => Promise<void> {
  const underWay = new Map<number, Promise<void>>()

  async function make(server: Server): Promise<void> {
    const at = now()
    const abstained: { server: string; reason: string }[] = []
    for await (const { batch, rows, windowEnd } of fleetBatches([server], {
      ...{ series, now: at, abstained },
    })) {
      const made = await forecast(
        {
          ...{ batch, rows: rows.map(rowOf), windowEnd, issuedAt: at },
          ...{ abstained: abstained.splice(0), adapted: adapted() },
        },
        { urgent: true },
      )
      for (const one of made) keep(one)
    }
  }

  return async (name) => {
    const server = find(name)
    if (!server) return
    const asked = underWay.get(server.id)
    if (asked) return asked
    if (underWay.size >= mostUnderWay) return
    const making = make(server).finally(() => underWay.delete(server.id))
    underWay.set(server.id, making)
    return making
  }
}
