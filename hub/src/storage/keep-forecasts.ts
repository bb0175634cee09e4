import type { ServerForecast } from '../forecast/server-forecast.ts'
import type { HubStores } from './stores.ts'

/** 64 forecasts are a commit of some 5 ms: few enough that nobody waits for it. */
const perTransaction = 64

/** Keeps the forecasts of a cycle; each replaces the one before it. The event loop has its turn in between. */
export async function keepForecasts(
  { db, servers, forecasts }: Pick<HubStores, 'db' | 'servers' | 'forecasts'>,
  made: readonly ServerForecast[],
): Promise<void> {
  const keep = db.transaction((from: number) => {
    for (const forecast of made.slice(from, from + perTransaction)) {
      const server = servers.find(forecast.server)
      if (server) forecasts.put(server.id, forecast)
    }
  })
  for (let from = 0; from < made.length; from += perTransaction) {
    keep(from)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** The forecasts that were served when the hub stopped, with the time they were really made. */
export function loadForecasts(
  { forecasts }: Pick<HubStores, 'forecasts'>,
  visit: (forecast: ServerForecast) => void,
): void {
  forecasts.each(visit)
}
