import { type BaselineName, baselineNames } from '@harbinger/shared/forecast/baseline-names'
import { fillBaselineQuantiles, rowQuantiles } from '@harbinger/shared/forecast/baselines'
import {
  horizonSteps,
  stepMinutes,
  windowBatch,
  type WindowBatch,
} from '@harbinger/shared/window/window-batch'
import type { FleetHistory } from '../history/fleet-history.ts'
import type { Inference } from '../onnx/inference.ts'
import { cutWindow } from '../windows/cut-window.ts'
import { fillTruth, truthBatch } from '../windows/truth.ts'
import { openIncidentScore, type IncidentRule } from './incidents.ts'
import { type Contender, newContender } from './contender.ts'
import { fillNaiveErrors } from './naive-error.ts'
import { type BacktestReport, toReport } from './report.ts'
import { addWindow } from './score.ts'
import { histories, horizons } from './slices.ts'

export type BacktestOptions = {
  readonly history: FleetHistory
  /** The trained contender; without one only the baselines compete. */
  readonly model?: { readonly id: string; readonly inference: Inference } | undefined
  /** Scores origins from here on; default: the first instant with a day of history before it. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Minutes between origins; default 60. */
  readonly every?: number | undefined
  /** Profile hidden from the model; default false. */
  readonly unknownProfile?: boolean
  readonly limits?: readonly IncidentRule[]
  /** Every n-th origin is also scored with shortened history; default 6, 0 leaves that out. */
  readonly shortenEvery?: number
  readonly onProgress?: ((progress: { share: number; etaMs: number }) => void) | undefined
  readonly clock: () => number
}

const minuteMs = 60_000
const chunkRows = 64

/**
 * Forecasts from every origin with only what was known then, and scores what was measured after: the one judge of
 * models and baselines.
 */
export async function backtest(options: BacktestOptions): Promise<BacktestReport> {
  const { history, model, every = 60, shortenEvery = 6, clock } = options
  const from = options.from ?? history.from + 24 * 60 * minuteMs
  const to = options.to ?? history.to
  const step = every * minuteMs
  const origins: number[] = []
  for (let at = Math.ceil(from / step) * step; at + stepMinutes * minuteMs <= to; at += step) {
    // What follows must have been measured: 8 h, or the history ends too early to judge the far steps.
    if (at + horizonSteps * stepMinutes * minuteMs <= to + history.intervalMinutes * minuteMs) {
      origins.push(at)
    }
  }
  if (origins.length === 0) {
    throw new Error(`${history.name}: no origin between ${iso(from)} and 8 h before ${iso(to)}`)
  }
  const contenders = new Map<string, Contender>(baselineNames.map((name) => [name, newContender()]))
  const modelScore = newContender()
  const incidents = openIncidentScore(history, options.limits ?? [])

  const batch = windowBatch(chunkRows)
  const truth = truthBatch(chunkRows)
  const out = rowQuantiles(chunkRows)
  const naive = new Float64Array(12)
  let rows = 0
  let windows = 0
  /** Place in `histories` of the rows being collected, or undefined for whole history. */
  let slice: number | undefined
  const places: { server: number; now: number }[] = []

  async function flush(): Promise<void> {
    if (rows === 0) return
    const part = rows === chunkRows ? batch : firstRows(batch, rows)
    const score = (contender: Contender, quantiles: Float32Array, row: number): void => {
      const what = { quantiles, truth, row }
      if (slice !== undefined) return addWindow(contender.byHistory[slice]!, what)
      addWindow(contender.all, { ...what, naive })
      horizons.forEach(({ steps }, h) => addWindow(contender.byHorizon[h]!, { ...what, steps }))
    }
    if (model) {
      const { quantiles, peaks } = await model.inference.infer(part)
      for (let row = 0; row < rows; row++) {
        fillNaiveErrors(naive, batch, row)
        score(modelScore, quantiles, row)
        if (slice === undefined) incidents.add(places[row]!, { peaks, row })
      }
    }
    for (const [name, contender] of contenders) {
      for (let row = 0; row < rows; row++) {
        fillBaselineQuantiles(out, { batch, row, to: row }, name as BaselineName)
      }
      for (let row = 0; row < rows; row++) {
        fillNaiveErrors(naive, batch, row)
        score(contender, out.quantiles, row)
      }
    }
    if (slice === undefined) windows += rows
    rows = 0
    places.length = 0
  }

  async function addOrigin(now: number, historyMinutes: number | undefined): Promise<void> {
    for (const [place, server] of history.servers.entries()) {
      const end = cutWindow(batch, rows, {
        ...{ server, now, historyMinutes },
        unknownProfile: options.unknownProfile ?? false,
      })
      if (end === undefined) continue
      fillTruth(truth, rows, { series: server.series, end })
      places.push({ server: place, now: end })
      if (++rows === chunkRows) await flush()
    }
  }

  const began = clock()
  for (const [i, now] of origins.entries()) {
    await addOrigin(now, undefined)
    if (shortenEvery > 0 && i % shortenEvery === 0) {
      await flush()
      for (const [place, { minutes }] of histories.entries()) {
        slice = place
        await addOrigin(now, minutes)
        await flush()
      }
      slice = undefined
    }
    const share = (i + 1) / origins.length
    options.onProgress?.({ share, etaMs: ((clock() - began) * (1 - share)) / share })
  }
  await flush()
  return toReport({
    ...{ history, from, to, origins: origins.length, windows },
    model: model ? { id: model.id, contender: modelScore } : undefined,
    baselines: contenders,
    incidents: incidents.report(),
  })
}

const iso = (at: number): string => new Date(at).toISOString()

function firstRows(batch: WindowBatch, rows: number): WindowBatch {
  const part = Object.entries(batch).map(([name, value]) =>
    typeof value === 'number'
      ? [name, rows]
      : [name, value.subarray(0, (value.length / batch.size) * rows)],
  )
  return Object.fromEntries(part) as WindowBatch
}
