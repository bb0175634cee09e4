import type { BaselineName } from '@harbinger/shared/forecast/baseline-names'
import { fillBaselineQuantiles, rowQuantiles } from '@harbinger/shared/forecast/baselines'
import {
  horizonSteps,
  stepMinutes,
  V,
  windowBatch,
  type WindowBatch,
} from '@harbinger/shared/window/window-batch'
import type { FleetHistory } from '../history/fleet-history.ts'
import type { Inference } from '../onnx/inference.ts'
import { cutWindow } from '../windows/cut-window.ts'
import { fillTruth, truthBatch, type TruthBatch } from '../windows/truth.ts'
import { type Contender, newContender } from './contender.ts'
import { fillNaiveErrors } from './naive-error.ts'
import { maseOf } from './score.ts'
import { histories } from './slices.ts'
import { addToTally } from './tally.ts'

export type Model = { readonly id: string; readonly inference: Inference }
export type Progress = { readonly share: number; readonly etaMs: number }

export type CollectOptions = {
  readonly history: FleetHistory
  readonly models: readonly Model[]
  readonly baselines: readonly BaselineName[]
  readonly origins: readonly number[]
  /** Profile hidden from the models; default false. */
  readonly unknownProfile?: boolean | undefined
  /** Every n-th origin is also scored with shortened history; 0 leaves that out. */
  readonly shortenEvery: number
  /** Only the shortened histories; default false. */
  readonly onlyShortened?: boolean
  /** Told of what the first model says of windows with all their history; of the windows alone where there is none. */
  readonly onForecast?: (
    place: { readonly server: number; readonly now: number },
    made?: { readonly peaks: Float32Array; readonly row: number },
  ) => void
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly clock: () => number
}

export type Collected = {
  readonly models: readonly { readonly id: string; readonly contender: Contender }[]
  readonly baselines: ReadonlyMap<BaselineName, Contender>
  /** With all the history there was. */
  readonly windows: number
}

const minuteMs = 60_000
const chunkRows = 64

/** Instants to forecast from: every `every` minutes, each with 8 h of truth after it. Throws when there are none. */
export function originsOf(
  history: FleetHistory,
  { from, to, every }: { readonly from: number; readonly to: number; readonly every: number },
): readonly number[] {
  const step = every * minuteMs
  // What follows must have been measured: 8 h, or the history ends too early to judge the far steps.
  const last = to + history.intervalMinutes * minuteMs - horizonSteps * stepMinutes * minuteMs
  const origins: number[] = []
  for (let at = Math.ceil(from / step) * step; at <= last; at += step) origins.push(at)
  if (origins.length > 0) return origins
  const iso = (at: number): string => new Date(at).toISOString()
  throw new Error(
    `${history.name}: no moment to forecast from between ${iso(from)} and 8 h before ${iso(to)}; give an earlier --from`,
  )
}

/** Forecasts from every origin with only what was known then, by all contenders alike, and scores what came. */
export async function collect(options: CollectOptions): Promise<Collected> {
  const { history, origins, shortenEvery, onlyShortened = false, clock } = options
  const models = options.models.map(({ id, inference }) => {
    return { id, inference, contender: newContender() }
  })
  const baselines = new Map(options.baselines.map((name) => [name, newContender()]))
  const batch = windowBatch(chunkRows)
  const truth = truthBatch(chunkRows)
  const out = rowQuantiles(chunkRows)
  const naive = Array.from({ length: chunkRows }, () => new Float64Array(V))
  const measured = Array.from({ length: chunkRows }, () => new Uint8Array(V))
  let windows = 0
  /** Place in `histories` of the rows being collected, or undefined for whole history. */
  let slice: number | undefined
  const places: { server: number; now: number }[] = []

  function score(contender: Contender, quantiles: Float32Array): void {
    places.forEach(({ server }, row) => {
      const what = { quantiles, truth, row }
      if (slice !== undefined) return addToTally(contender.byHistory[slice]!, server, what)
      addToTally(contender.all, server, what)
      for (const mase of maseOf(what, naive[row]!)) contender.mase.push(mase)
    })
  }

  async function flush(): Promise<void> {
    const rows = places.length
    if (rows === 0) return
    const part = rows === chunkRows ? batch : firstRows(batch, rows)
    measured.forEach((metrics, row) => fillMeasured(metrics, truth, row))
    if (slice === undefined) naive.forEach((errors, row) => fillNaiveErrors(errors, batch, row))
    for (const [i, { inference, contender }] of models.entries()) {
      const { quantiles, peaks } = await inference.infer(part)
      score(contender, quantiles)
      if (i > 0 || slice !== undefined) continue
      places.forEach((place, row) => options.onForecast?.(place, { peaks, row }))
    }
    if (models.length === 0 && slice === undefined) {
      places.forEach((place) => options.onForecast?.(place))
    }
    for (const [name, contender] of baselines) {
      for (let row = 0; row < rows; row++) {
        fillBaselineQuantiles(out, { batch, row, to: row, wanted: measured[row]! }, name)
      }
      score(contender, out.quantiles)
    }
    if (slice === undefined) windows += rows
    places.length = 0
  }

  async function addOrigin(now: number, historyMinutes: number | undefined): Promise<void> {
    const { unknownProfile = false } = options
    for (const [place, server] of history.servers.entries()) {
      const row = places.length
      const end = cutWindow(batch, row, { server, now, historyMinutes, unknownProfile })
      if (end === undefined) continue
      fillTruth(truth, row, { series: server.series, end })
      places.push({ server: place, now: end })
      if (places.length === chunkRows) await flush()
    }
  }

  const began = clock()
  for (const [i, now] of origins.entries()) {
    if (!onlyShortened) await addOrigin(now, undefined)
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
  return { models, baselines, windows }
}

/** 1 for each metric of which something will be scored: a baseline of the others is nobody's business. */
function fillMeasured(out: Uint8Array, { truthKnown }: TruthBatch, row: number): void {
  out.fill(0)
  for (let f = 0; f < horizonSteps; f++) {
    for (let v = 0; v < V; v++) {
      if (truthKnown[(row * horizonSteps + f) * V + v]! > 0) out[v] = 1
    }
  }
}

function firstRows(batch: WindowBatch, rows: number): WindowBatch {
  const part = Object.entries(batch).map(([name, value]) =>
    typeof value === 'number'
      ? [name, rows]
      : [name, value.subarray(0, (value.length / batch.size) * rows)],
  )
  return Object.fromEntries(part) as WindowBatch
}
