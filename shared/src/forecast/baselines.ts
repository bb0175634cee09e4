import { worsens } from '../limits.ts'
import { metrics, networkMetricNames } from '../metrics.ts'
import {
  historySteps as T,
  horizonSteps as F,
  V,
  type WindowBatch,
} from '../window/window-batch.ts'
import {
  baselineAhead,
  type Level,
  levelOf,
  meanPlusLevel,
  usualAhead,
  usualPlusLevel,
} from './baseline.ts'
import type { BaselineName } from './baseline-names.ts'
import { leadBucket, peakWidths, stepWidths } from './baseline-widths.ts'
import { peakMinutes, Q } from './quantiles.ts'

/** Quantiles of one row: [F][V][Q] per step and [P][V][Q] of the worst reading (of idle: the lowest) of the first 1, 4 and 8 hours. */
export type RowQuantiles = { readonly quantiles: Float32Array; readonly peaks: Float32Array }

const P = peakMinutes.length
const peakSteps = peakMinutes.map((minutes) => minutes / 15)
/** Peaks are worst readings: of idle the lowest, of all others the highest. */
const worstOf = networkMetricNames.map((name) => (worsens(name) === 'down' ? Math.min : Math.max))
const upperBound = networkMetricNames.map((name) => metrics[name].max ?? Infinity)
/** Smallest width worth stating, in the metric's unit. */
const smallest = networkMetricNames.map((name) => (name.endsWith('_pct') ? 0.1 : 0.02))
/** Every so many past steps the baseline is asked what it would have said then. */
const originStride = 4
/** Presumed errors weigh like those of so many such origins. */
const priorOrigins = 3

/** A path of one metric seen from past step `n` (T is now): `out[f]` is f + 1 steps ahead. */
type Path = (at: Place, n: number, out: Float64Array) => void
type Place = { readonly batch: WindowBatch; readonly row: number; readonly v: number }

const paths: { readonly [name in BaselineName]: Path } = {
  'seven-day-mean-level': (at, n, out) => {
    const { batch, row, v } = at
    const level = levelOf(batch, row, v, n)
    for (let f = 0; f < F; f++) {
      if (n === T) out[f] = baselineAhead(batch, { row, v, level, f })
      else {
        const usual = level.usual ? usualAt(at, n, f) : undefined
        out[f] =
          usual === undefined ? meanPlusLevel(level, f + 1) : usualPlusLevel(level, usual, f + 1)
      }
    }
  },
  'theta-like': (at, n, out) => {
    const { level, slope } = smoothed(at, n)
    const now = usualNow(at, n)
    for (let f = 0; f < F; f++) {
      const usual = usualAt(at, n, f)
      const season = usual !== undefined && now !== undefined ? usual - now : 0
      out[f] = level + 0.5 * slope * (f + 1) + season
    }
  },
  'seasonal-naive': (at, n, out) => {
    const last = lastKnown(at, n)
    for (let f = 0; f < F; f++) out[f] = yesterdayAt(at, n, f) ?? last
  },
  'last-value': (at, n, out) => out.fill(lastKnown(at, n)),
  'linear-1h': (at, n, out) => line(at, n, 4, out),
  'linear-6h': (at, n, out) => line(at, n, 24, out),
  'linear-24h': (at, n, out) => line(at, n, 96, out),
}

/** The mean of the same time on earlier days, `f` steps after step `n`; undefined where none is known. */
function usualAt({ batch, row, v }: Place, n: number, f: number): number | undefined {
  const t = n + f
  if (t < T) {
    const k = (row * T + t) * V + v
    return batch.seasonalPastKnown[k]! > 0 ? batch.seasonalPast[k]! : undefined
  }
  const k = (row * F + t - T) * V + v
  if (t - T >= F || batch.seasonalKnown[k]! === 0) return undefined
  return usualAhead(batch, k)
}

function usualNow(at: Place, n: number): number | undefined {
  for (let t = n - 1; t >= 0; t--) {
    const usual = usualAt(at, t, 0)
    if (usual !== undefined) return usual
  }
  return undefined
}

/** 24 h before; within the past only the mean of seven days is known, which stands in for it. */
function yesterdayAt(at: Place, n: number, f: number): number | undefined {
  if (n + f < T) return usualAt(at, n, f)
  const k = (at.row * F + n + f - T) * V + at.v
  return at.batch.yesterdayKnown[k]! > 0 ? at.batch.yesterday[k]! : undefined
}

function lastKnown({ batch, row, v }: Place, n: number): number {
  for (let t = n - 1; t >= 0; t--) {
    const k = (row * T + t) * V + v
    if (batch.pastKnown[k]! > 0) return batch.past[2 * k]!
  }
  return 0
}

/** Exponential smoothing of what is above the usual, and its drift per step (Assimakopoulos & Nikolopoulos 2000). */
function smoothed(at: Place, n: number): { readonly level: number; readonly slope: number } {
  const { batch, row, v } = at
  const alpha = 0.4
  let level = NaN
  let first = NaN
  let firstAt = 0
  let usual = 0
  for (let t = 0; t < n; t++) {
    const k = (row * T + t) * V + v
    if (batch.pastKnown[k] === 0) continue
    usual = batch.seasonalPastKnown[k]! > 0 ? batch.seasonalPast[k]! : 0
    const above = batch.past[2 * k]! - usual
    level = Number.isNaN(level) ? above : level + alpha * (above - level)
    if (Number.isNaN(first)) {
      first = above
      firstAt = t
    }
  }
  if (Number.isNaN(level)) return { level: 0, slope: 0 }
  const span = n - 1 - firstAt
  return { level: level + usual, slope: span > 0 ? (level - first) / span : 0 }
}

function line({ batch, row, v }: Place, n: number, steps: number, out: Float64Array): void {
  let count = 0
  let sumT = 0
  let sumX = 0
  let sumTT = 0
  let sumTX = 0
  for (let t = Math.max(0, n - steps); t < n; t++) {
    const k = (row * T + t) * V + v
    if (batch.pastKnown[k] === 0) continue
    const x = batch.past[2 * k]!
    const u = t - n
    count++
    sumT += u
    sumX += x
    sumTT += u * u
    sumTX += u * x
  }
  const spread = count * sumTT - sumT * sumT
  const slope = count >= 2 && spread > 0 ? (count * sumTX - sumT * sumX) / spread : 0
  const start = count > 0 ? (sumX - slope * sumT) / count : 0
  for (let f = 0; f < F; f++) out[f] = start + slope * f
}

/** What a baseline says of one metric, and how wrong it would have been within the window. */
export type BaselineCore = {
  readonly path: Float64Array
  /** Mean absolute error per lead bucket (0–1 h, 1–4 h, 4–8 h), and of the peaks of 1, 4 and 8 hours. */
  readonly stepErrors: Float64Array
  readonly peakErrors: Float64Array
  /** The worst step of the path, plus how far worst readings were beyond it on average. */
  readonly peakCentres: Float64Array
}

export const baselineCore = (): BaselineCore => ({
  path: new Float64Array(F),
  stepErrors: new Float64Array(P),
  peakErrors: new Float64Array(P),
  peakCentres: new Float64Array(P),
})

const then = new Float64Array(F)
const sums = { step: new Float64Array(P), weight: new Float64Array(P) }
const peakSums = new Float64Array(P)
const peakAway = new Float64Array(P)
const peakCount = new Float64Array(P)

/** Computes a baseline's path for one metric and its errors at earlier instants of the same window. */
export function fillCore(core: BaselineCore, at: Place, name: BaselineName): void {
  const { batch, row, v } = at
  const level = levelOf(batch, row, v)
  sums.step.fill(0)
  sums.weight.fill(0)
  peakSums.fill(0)
  peakAway.fill(0)
  peakCount.fill(0)
  for (let n = originStride; n < T; n += originStride) {
    if (batch.pastKnown[(row * T + n - 1) * V + v] === 0) continue
    paths[name](at, n, then)
    lookBack(at, n)
  }
  paths[name](at, T, core.path)
  const presumed = presumedError(at, level)
  const worse = worstOf[v]!
  let excess = 0
  for (let b = 0; b < P; b++) {
    const leads = peakSteps[b]! - (b === 0 ? 0 : peakSteps[b - 1]!)
    const origins = sums.weight[b]! / leads
    const prior = presumed * (1 + 0.5 * b)
    core.stepErrors[b] = Math.max(
      smallest[v]!,
      (sums.step[b]! / leads + priorOrigins * prior) / (origins + priorOrigins),
    )
    if (peakCount[b]! > 0) excess = peakSums[b]! / peakCount[b]!
    let worst = core.path[0]!
    for (let f = 1; f < peakSteps[b]!; f++) worst = worse(worst, core.path[f]!)
    core.peakCentres[b] = worst + excess
    const away = peakAway[b]!
    core.peakErrors[b] = Math.max(
      smallest[v]!,
      (away + priorOrigins * prior) / (peakCount[b]! + priorOrigins),
    )
  }
}

/** Compares the path seen from past step `n` with what the window knows of the steps after it. */
function lookBack({ batch, row, v }: Place, n: number): void {
  const worse = worstOf[v]!
  let worst = NaN
  let predicted = then[0]!
  let bucket = 0
  for (let f = 0; f < F && n + f < T; f++) {
    const k = (row * T + n + f) * V + v
    predicted = worse(predicted, then[f]!)
    if (batch.pastKnown[k]! > 0) {
      const b = leadBucket(f)
      sums.step[b]! += Math.abs(batch.past[2 * k]! - then[f]!)
      sums.weight[b]! += 1
      const reading = batch.past[2 * k + 1]!
      worst = Number.isNaN(worst) ? reading : worse(worst, reading)
    }
    if (f + 1 === peakSteps[bucket]) {
      if (!Number.isNaN(worst)) {
        peakSums[bucket]! += worst - predicted
        peakAway[bucket]! += Math.abs(worst - predicted)
        peakCount[bucket]! += 1
      }
      bucket++
    }
  }
}

/** How wrong a forecast may be of a server about which the window says little: wide, on purpose. */
function presumedError({ batch, row, v }: Place, { mean }: Level): number {
  let away = 0
  let known = 0
  for (let t = 0; t < T; t++) {
    const k = (row * T + t) * V + v
    if (batch.pastKnown[k] === 0) continue
    away += Math.abs(batch.past[2 * k]! - mean)
    known++
  }
  const seen = known > 0 ? away / known : 0
  // A window of a few steps has hardly moved yet.
  const shy = (0.15 * Math.abs(mean) * 8) / (known + 8)
  return Math.max(smallest[v]!, seen, shy)
}

const core = baselineCore()

/** Writes row `row` of a baseline's forecast into `out`, at its row `to` (default 0). Monotone and within range. */
export function fillBaselineQuantiles(
  out: RowQuantiles,
  {
    batch,
    row,
    to = 0,
    wanted,
  }: {
    readonly batch: WindowBatch
    readonly row: number
    readonly to?: number
    /** 1 for each metric that is asked for; what the others had stays. Default: all. */
    readonly wanted?: Uint8Array
  },
  name: BaselineName,
): void {
  for (let v = 0; v < V; v++) {
    if (wanted?.[v] === 0) continue
    fillCore(core, { batch, row, v }, name)
    const max = upperBound[v]!
    for (let f = 0; f < F; f++) {
      const bucket = leadBucket(f)
      const widths = stepWidths[name][bucket]!
      const at = ((to * F + f) * V + v) * Q
      for (let q = 0; q < Q; q++) {
        const value = core.path[f]! + core.stepErrors[bucket]! * widths[q]!
        out.quantiles[at + q] = Math.min(max, Math.max(0, value))
      }
    }
    for (let p = 0; p < P; p++) {
      const widths = peakWidths[name][p]!
      const at = ((to * P + p) * V + v) * Q
      for (let q = 0; q < Q; q++) {
        // The widths were fitted where worse is higher; of idle they are their mirror image.
        const width = worstOf[v] === Math.min ? -widths[Q - 1 - q]! : widths[q]!
        const value = core.peakCentres[p]! + core.peakErrors[p]! * width
        out.peaks[at + q] = Math.min(max, Math.max(0, value))
      }
    }
  }
}

export const rowQuantiles = (rows = 1): RowQuantiles => ({
  quantiles: new Float32Array(rows * F * V * Q),
  peaks: new Float32Array(rows * P * V * Q),
})

/** A baseline's forecast of one row of a batch. */
export function baselineQuantiles(
  batch: WindowBatch,
  row: number,
  name: BaselineName,
): RowQuantiles {
  const out = rowQuantiles()
  fillBaselineQuantiles(out, { batch, row }, name)
  return out
}
