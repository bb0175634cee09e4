import { networkMetricNames } from '../metrics.ts'
import { contenderNames } from '../model.ts'
import type { Curves } from './chance-curves.ts'
import { profiles } from '../profiles.ts'
import {
  bucketOfStep,
  type Calibration,
  type CalibrationCell,
  calibrationBuckets,
  cellCount,
  cellIndex,
  type Place,
  targets,
  type Target,
} from './calibration.ts'
import { medianIndex, Q, quantileLevels } from './quantiles.ts'

/** One metric of one server: [32 steps][7 quantiles] and [3 peaks][7 quantiles], in the metric's unit. */
export type MetricNumbers = { readonly quantiles: Float32Array; readonly peaks: Float32Array }

const p10 = quantileLevels.indexOf(0.1)
const p90 = quantileLevels.indexOf(0.9)
/** Added to every band's width, in the metric's unit: a band of no width could not be scaled. */
export const unitFloor: readonly number[] = networkMetricNames.map((name) =>
  name.endsWith('_pct') ? 0.1 : 0.02,
)

/** What shifts are counted in: the width of the forecast's own 80 % band, so that they hold for every server alike. */
export const unitOf = (values: ArrayLike<number>, at: number, v: number): number =>
  values[at + p90]! - values[at + p10]! + unitFloor[v]!

/** What was learnt of matured truth, as it goes to the thread that applies it. */
export type Adapted = {
  /** [cellCount][below, above]: see calibrator.adapted(). */
  readonly bands: Float32Array
  /** See curveIn(). */
  readonly curves: Curves
}

/**
 * Corrects quantiles in place. Each is moved by what the fitted calibration says of its cell (conformalised quantile
 * regression, Romano et al. 2019, each quantile for itself), then the sides of the band are stretched by what was
 * learnt since. The order of the quantiles and the metric's range are settle()'s to restore.
 */
export type Calibrate = (
  numbers: MetricNumbers,
  place: Place,
  adapted?: Float32Array | undefined,
) => void

export function openCalibration(calibration: Calibration): Calibrate {
  const shifts = toTable(calibration.cells)

  function correct(
    values: Float32Array,
    at: number,
    { cell, v, adapted }: { cell: number; v: number; adapted: Float32Array | undefined },
  ): void {
    const unit = unitOf(values, at, v)
    if (shifts) {
      for (let q = 0; q < Q; q++) values[at + q] = values[at + q]! + shifts[cell * Q + q]! * unit
    }
    if (!adapted) return
    stretch(values, at, { unit, below: adapted[2 * cell]!, above: adapted[2 * cell + 1]! })
  }

  return ({ quantiles, peaks }, place, adapted) => {
    if (!shifts && !adapted) return
    const { v } = place
    let bucket = -1
    let cell = { cell: 0, v, adapted }
    for (let at = 0, step = 0; at < quantiles.length; at += Q, step++) {
      if (bucketOfStep(step) !== bucket) {
        bucket = bucketOfStep(step)
        cell = { ...cell, cell: cellIndex(place, 'step', bucket) }
      }
      correct(quantiles, at, cell)
    }
    for (let at = 0, peak = 0; at < peaks.length; at += Q, peak++) {
      correct(peaks, at, { ...cell, cell: cellIndex(place, 'peak', peak) })
    }
  }
}

/** Multiplies the distance of each quantile from the median by e^below or e^above. */
function stretch(
  values: Float32Array,
  at: number,
  { unit, below, above }: { unit: number; below: number; above: number },
): void {
  const least = 0.02 * unit
  if (below !== 0) stretchSide(values, at, { from: 0, to: medianIndex, log: below, least: -least })
  if (above !== 0) stretchSide(values, at, { from: medianIndex + 1, to: Q, log: above, least })
}

function stretchSide(
  values: Float32Array,
  at: number,
  { from, to, log, least }: { from: number; to: number; log: number; least: number },
): void {
  const median = values[at + medianIndex]!
  const factor = Math.exp(log)
  // A side of no width is given one, or it could never be widened.
  const grown = least * Math.max(0, Math.expm1(log))
  for (let q = from; q < to; q++) {
    values[at + q] = median + (values[at + q]! - median) * factor + grown
  }
}

/** [cell][7]: each cell's shift, or that of the smallest group that has one. Undefined when there is none at all. */
function toTable(cells: readonly CalibrationCell[]): Float32Array | undefined {
  if (cells.length === 0) return undefined
  const named = new Map(cells.map((cell) => [nameOf(cell), cell.shift]))
  const table = new Float32Array(cellCount * Q)
  eachPlace((place, target, bucket) => {
    const { contender, profile } = place
    const metric = networkMetricNames[place.v]!
    const groups = [
      { contender, profile: profile ?? ('unknown' as const), metric, target, bucket },
      { contender, profile: null, metric, target, bucket },
      { contender, profile: null, metric: null, target, bucket },
    ]
    const shift = groups.map((group) => named.get(nameOf(group))).find((found) => found)
    if (shift) table.set(shift, cellIndex(place, target, bucket) * Q)
  })
  return table
}

const nameOf = (cell: Omit<CalibrationCell, 'points' | 'shift'>): string =>
  [cell.contender, cell.profile, cell.metric, cell.target, cell.bucket].join(' ')

export function eachPlace(use: (place: Place, target: Target, bucket: number) => void): void {
  for (const contender of contenderNames) {
    for (const profile of [undefined, ...profiles]) {
      for (const v of networkMetricNames.keys()) {
        for (const target of targets) {
          for (let bucket = 0; bucket < calibrationBuckets; bucket++) {
            use({ contender, profile, v }, target, bucket)
          }
        }
      }
    }
  }
}
