import { availableParallelism } from 'node:os'
import type { Series } from '@harbinger/shared/window/series'
import type { WindowBatch } from '@harbinger/shared/window/window-batch'
import type { Log } from '../log.ts'
import { nextTurn, sliceMs } from '../window/slices.ts'
import { forecastRow, type Instead, type RowsToForecast } from './forecast-rows.ts'
import type { ServerForecast } from './server-forecast.ts'
import { openSlowForecasts } from './slow-forecasts.ts'
import { workerHost, type WorkerHostOptions } from './worker-host.ts'
import { buffersOf, copyRows, type Device, type ModelInfo } from './worker-messages.ts'

export type ForecasterOptions = {
  /** Undefined: baselines only. */
  readonly modelFolder: string | undefined
  /** Threads of the network. Default: one core is left to the hub, and more than four do not help. */
  readonly threads?: number
  /** Default cpu; another one that cannot be used falls back to it. */
  readonly device?: Device
  readonly log: Log
  /** For tests: another worker, and how patient to be with it. */
  readonly worker?: Partial<Pick<WorkerHostOptions, 'file' | 'firstPauseMs' | 'patienceMs'>>
}

export type FleetToForecast = {
  readonly batch: WindowBatch
  /** Row i of the batch is the window of rows[i]. */
  readonly rows: readonly {
    readonly server: string
    readonly series: Series
    readonly instead?: Instead | undefined
  }[]
  /** Servers of which there is no window, and why. */
  readonly abstained?: readonly { readonly server: string; readonly reason: string }[]
  /** Where the windows end (ms), as fillWindow returned it. */
  readonly windowEnd: number
  readonly issuedAt: number
}

export type ForecasterStatus = {
  readonly model: ModelInfo | null
  /** Why the model that was meant to serve does not; null when it does. */
  readonly problem: string | null
  readonly device: Device | 'none'
  readonly restarts: number
}

export type Forecaster = Awaited<ReturnType<typeof openForecaster>>

/** Rows that go to the worker together: enough to keep it busy, little enough to be copied in 3 ms. */
const chunkRows = 32

/** Forecasts whole fleets in a thread of its own: by the network where there is one, by the baselines always. */
export async function openForecaster(options: ForecasterOptions) {
  const {
    threads = Math.max(1, Math.min(4, availableParallelism() - 1)),
    device = 'cpu',
    log,
  } = options
  let folder = options.modelFolder
  let model: ModelInfo | null = null
  let problem: string | null = folder === undefined ? 'no model folder is set' : null
  let runsOn: Device | 'none' = 'none'

  const slow = openSlowForecasts()
  const host = workerHost({
    file: new URL('./onnx-worker.ts', import.meta.url),
    ...options.worker,
    log,
    async prepare(ask) {
      if (folder === undefined) return
      const refused = await load(ask, folder)
      if (refused === undefined) return
      model = null
      runsOn = 'none'
      problem = refused
    },
  })

  /** Undefined when the model serves, else why it does not. */
  async function load(ask: typeof host.ask, from: string): Promise<string | undefined> {
    const answer = await ask({ kind: 'load', folder: from, threads, device })
    if ('loaded' in answer) {
      model = answer.loaded
      problem = null
      runsOn = answer.device
      if (answer.note) log.warn({ model: model.id }, answer.note)
      log.info({ model: model.id, device: runsOn }, 'model loaded')
      return undefined
    }
    const refused = 'refused' in answer ? answer.refused : 'the worker did not understand'
    log.warn({ folder: from, reason: refused }, 'model refused')
    return refused
  }

  async function forecastChunk(
    fleet: FleetToForecast,
    from: number,
    to: number,
  ): Promise<readonly ServerForecast[]> {
    const { windowEnd, issuedAt } = fleet
    const rows = fleet.rows.slice(from, to).map(({ server, series, instead }) => ({
      ...{ server, slow: slow(series, windowEnd), instead },
    }))
    try {
      const batch = copyRows(fleet.batch, from, to)
      const question = { kind: 'forecast' as const, batch, rows, windowEnd, issuedAt }
      const answer = await host.ask(question, buffersOf(batch))
      if ('forecasts' in answer) return answer.forecasts
      throw new Error('the worker did not understand')
    } catch (error) {
      const problem = `the forecast worker stopped (${(error as Error).message}) and is being started again`
      return withoutWorker({
        batch: copyRows(fleet.batch, from, to),
        rows,
        windowEnd,
        issuedAt,
        network: { problem },
      })
    }
  }

  await host.start()
  return {
    status: (): ForecasterStatus => ({
      model,
      problem:
        problem ??
        (host.isReady() ? null : 'the forecast worker stopped and is being started again'),
      device: runsOn,
      restarts: host.restarts(),
    }),

    /** One forecast per row and one abstention per server without a window; never rejects for want of a model. */
    async forecast(fleet: FleetToForecast): Promise<ServerForecast[]> {
      const forecasts: ServerForecast[] = []
      for (let from = 0; from < fleet.rows.length; from += chunkRows) {
        const to = Math.min(fleet.rows.length, from + chunkRows)
        forecasts.push(...(await forecastChunk(fleet, from, to)))
      }
      const { windowEnd, issuedAt } = fleet
      for (const { server, reason } of fleet.abstained ?? []) {
        forecasts.push({ server, issuedAt, windowEnd, abstained: reason, metrics: {} })
      }
      return forecasts
    },

    /** Takes another model into service. Returns why not when it is refused; then the old one goes on serving. */
    async reload(newFolder: string): Promise<string | undefined> {
      const refused = await load(host.ask, newFolder).catch((error: Error) => error.message)
      if (refused === undefined) folder = newFolder
      return refused
    },

    close: host.close,
  }
}

/** The baselines on the hub's own loop, a few milliseconds at a time. */
async function withoutWorker(request: RowsToForecast): Promise<ServerForecast[]> {
  const forecasts: ServerForecast[] = []
  let until = performance.now() + sliceMs
  for (let row = 0; row < request.rows.length; row++) {
    forecasts.push(forecastRow(request, row))
    if (performance.now() < until) continue
    await nextTurn()
    until = performance.now() + sliceMs
  }
  return forecasts
}
