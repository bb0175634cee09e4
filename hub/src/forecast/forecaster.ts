import { availableParallelism } from 'node:os'
import type { Device } from '@harbinger/model-training/onnx/device'
import { chunkRows } from '@harbinger/model-training/onnx/inference'
import type { Series } from '@harbinger/shared/window/series'
import type { WindowBatch } from '@harbinger/shared/window/window-batch'
import type { Log } from '../log.ts'
import { inSlices, nextTurn, sliceMs } from '../window/slices.ts'
import { chooseDevice, type ChooseOptions, type WantedDevice } from './choose-device.ts'
import { deviceKeeper } from './device-keeper.ts'
import { forecastRow, type Instead, type RowsToForecast } from './forecast-rows.ts'
import type { ServerForecast } from './server-forecast.ts'
import { openSlowForecasts } from './slow-forecasts.ts'
import { workerHost, type WorkerHostOptions } from './worker-host.ts'
import { buffersOf, copyRows, type Look, type ModelInfo } from './worker-messages.ts'

export type ForecasterOptions = {
  /** Undefined: baselines only. */
  readonly modelFolder: string | undefined
  /** Threads of the network. Default: one core is left to the hub, and more than four do not help. */
  readonly threads?: number
  /** Default cpu; another one that cannot be used, or is lost, falls back to it and is tried again later. */
  readonly device?: WantedDevice
  readonly log: Log
  /** For tests: another worker, and how patient to be with it. */
  readonly worker?: Partial<Pick<WorkerHostOptions, 'file' | 'firstPauseMs' | 'patienceMs'>>
  /** For tests: other devices, and how soon one that failed is tried again. */
  readonly devices?: Pick<ChooseOptions, 'probe' | 'hasGpu'> & { readonly firstRetryMs?: number }
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
  /** See RowsToForecast. */
  readonly adapted?: RowsToForecast['adapted']
}

export type Examined = {
  readonly forecasts: readonly ServerForecast[]
  /** Undefined when no network ran. */
  readonly look: Look | undefined
}

export type ForecasterStatus = {
  readonly model: ModelInfo | null
  /** Why the model that was meant to serve does not; null when it does. */
  readonly problem: string | null
  /** Where the network really runs. */
  readonly device: Device | 'none'
  /** Why there; null without a model. */
  readonly deviceReason: string | null
  /** Why it does not run where it should; null when it does. */
  readonly deviceProblem: string | null
  readonly restarts: number
}

export type Forecaster = Awaited<ReturnType<typeof openForecaster>>

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
  let isFirst = true

  const slow = openSlowForecasts()
  const host = workerHost({
    file: new URL('./onnx-worker.ts', import.meta.url),
    ...options.worker,
    log,
    async prepare(ask) {
      if (folder === undefined) return
      const isAgain = !isFirst
      isFirst = false
      if (isAgain) keeper.restarted()
      const refused = await load(ask, folder)
      if (refused === undefined) return isAgain ? keeper.loaded() : undefined
      model = null
      problem = refused
    },
  })
  const keeper = deviceKeeper({
    ...{ log, firstRetryMs: options.devices?.firstRetryMs },
    choose: () => chooseDevice(device, { folder: folder!, threads, ...options.devices }),
    async move(to) {
      const answer = await host.ask({ kind: 'device', device: to })
      if ('refused' in answer) throw new Error(answer.refused)
    },
  })

  /** Undefined when the model serves, else why it does not. */
  async function load(ask: typeof host.ask, from: string): Promise<string | undefined> {
    const answer = await ask({ kind: 'load', folder: from, threads })
    if ('loaded' in answer) {
      model = answer.loaded
      problem = null
      log.info({ model: model.id }, 'model loaded')
      return undefined
    }
    const refused = 'refused' in answer ? answer.refused : 'the worker did not understand'
    log.warn({ folder: from, reason: refused }, 'model refused')
    return refused
  }

  async function forecastChunk(
    fleet: FleetToForecast,
    {
      from,
      to,
      urgent,
      kind = 'forecast',
    }: {
      readonly from: number
      readonly to: number
      readonly urgent: boolean
      readonly kind?: 'forecast' | 'examine'
    },
  ): Promise<Examined> {
    const { windowEnd, issuedAt, adapted } = fleet
    const rows: Omit<RowsToForecast, 'network'>['rows'][number][] = []
    await inSlices(fleet.rows.slice(from, to), ({ server, series, instead }) => {
      rows.push({ server, slow: slow(series, windowEnd), instead })
    })
    try {
      const batch = copyRows(fleet.batch, from, to)
      const question = { kind, urgent, batch, rows, windowEnd, issuedAt, adapted }
      const answer = await host.ask(question, buffersOf(batch))
      if ('lost' in answer && answer.lost !== undefined) keeper.lost(answer.lost)
      if ('forecasts' in answer) return { forecasts: answer.forecasts, look: answer.look }
      throw new Error('the worker did not understand')
    } catch (error) {
      const problem = `the forecast worker stopped (${(error as Error).message}) and is being started again`
      const forecasts = await withoutWorker({
        ...{ batch: copyRows(fleet.batch, from, to), rows, windowEnd, issuedAt, adapted },
        network: { problem },
      })
      return { forecasts, look: undefined }
    }
  }

  await host.start()
  // The hub starts on the processor; other devices are tried beside it.
  const settled = model ? keeper.settle() : undefined
  if (device === 'cpu') await settled
  return {
    status: (): ForecasterStatus => ({
      model,
      problem:
        problem ??
        (host.isReady() ? null : 'the forecast worker stopped and is being started again'),
      device: model ? keeper.state().device : 'none',
      deviceReason: model ? keeper.state().reason : null,
      deviceProblem: model ? keeper.state().problem : null,
      restarts: host.restarts(),
    }),

    /**
     * One forecast per row and one abstention per server without a window; never rejects for want of a model. What is
     * urgent is made as soon as the rows under way are, before those that wait.
     */
    async forecast(fleet: FleetToForecast, { urgent = false } = {}): Promise<ServerForecast[]> {
      const forecasts: ServerForecast[] = []
      const underWay: Promise<Examined>[] = []
      const atOnce = chunkRows[keeper.state().device]
      for (let from = 0; from < fleet.rows.length; from += atOnce) {
        const to = Math.min(fleet.rows.length, from + atOnce)
        underWay.push(forecastChunk(fleet, { from, to, urgent }))
        // One is run while the next one is made ready and waits.
        if (underWay.length > 1) forecasts.push(...(await underWay.shift()!).forecasts)
      }
      for (const last of underWay) forecasts.push(...(await last).forecasts)
      const { windowEnd, issuedAt } = fleet
      for (const { server, reason } of fleet.abstained ?? []) {
        forecasts.push({ server, issuedAt, windowEnd, abstained: reason, metrics: {} })
      }
      return forecasts
    },

    /** Urgently, all rows at once, and what the network looked at; for questions whose forecasts nobody keeps. */
    examine: (fleet: FleetToForecast): Promise<Examined> =>
      forecastChunk(fleet, { from: 0, to: fleet.rows.length, urgent: true, kind: 'examine' }),

    /** Takes another model into service. Returns why not when it is refused; then the old one goes on serving. */
    async reload(newFolder: string): Promise<string | undefined> {
      const refused = await load(host.ask, newFolder).catch((error: Error) => error.message)
      if (refused !== undefined) return refused
      folder = newFolder
      keeper.loaded()
      return undefined
    },

    async close(): Promise<void> {
      keeper.close()
      await host.close()
    },
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
