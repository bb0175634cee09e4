import type { Series } from '@harbinger/shared/window/series'
import type { Instead } from '../forecast/forecast-rows.ts'
import type { Examined, FleetToForecast } from '../forecast/forecaster.ts'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import type { Server } from '../storage/server-store.ts'
import type { Assessed } from '../view/assess-server.ts'

/** What is asked about: a server and what is known of it lately. */
export type AskedServer = {
  readonly server: Server
  readonly series: Series
  readonly now: number
  /** Why nothing is forecast of it; undefined when something is. */
  readonly abstained: string | undefined
  /** Metrics that are served by the baseline for now, as in the forecast cycle. */
  readonly instead?: Instead | undefined
}

/** Runs the forecasters on windows that nobody stores. */
export type Examine = (fleet: FleetToForecast) => Promise<Examined>

/** Risk and times to threshold of a forecast, as the fleet view would show them. */
export type Assess = (asked: AskedServer, forecast: ServerForecast) => Assessed

export const contextOf = ({ profile, cores, inventory }: Server) => ({
  profile,
  cores,
  memoryBytes: inventory?.memoryBytes,
})
