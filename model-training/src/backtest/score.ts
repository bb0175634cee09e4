import { medianIndex, Q, quantileLevels } from '@harbinger/shared/forecast/quantiles'
import { horizonSteps as F, V } from '@harbinger/shared/window/window-batch'
import type { TruthBatch } from '../windows/truth.ts'

/** Levels of the weighted quantile loss (interfaces, "Machine-readable reports"), as places among the seven. */
const scored = [0.1, 0.5, 0.9].map((level) => quantileLevels.indexOf(level as 0.1))
const low = scored[0]!
const high = scored[2]!

/** Sums of one metric, from which every figure of a report follows. */
export type MetricSums = {
  pinball: number
  truth: number
  points: number
  /** Windows of which at least one point was scored. */
  windows: number
  /** Points within the 80 % band, and the summed width of that band. */
  covered: number
  width: number
}

/** Summed scores per metric; two are added by adding their numbers. */
export type Score = { readonly metrics: readonly MetricSums[] }

const noSums = (): MetricSums => ({
  ...{ pinball: 0, truth: 0, points: 0, windows: 0, covered: 0, width: 0 },
})

export const emptyScore = (): Score => ({ metrics: Array.from({ length: V }, noSums) })

export type Rows = {
  /** [size, F, V, Q] of the same rows as `truth`. */
  readonly quantiles: Float32Array
  readonly truth: TruthBatch
  readonly row: number
  /** First and last + 1 step to score. */
  readonly steps?: readonly [number, number]
}

/** Adds one window. Only measured points count. */
export function addWindow(score: Score, { quantiles, truth, row, steps = [0, F] }: Rows): void {
  for (let v = 0; v < V; v++) {
    const sums = score.metrics[v]!
    const before = sums.points
    for (let f = steps[0]; f < steps[1]; f++) {
      const k = (row * F + f) * V + v
      if (truth.truthKnown[k] === 0) continue
      const y = truth.truth[k]!
      for (const q of scored) {
        const miss = y - quantiles[k * Q + q]!
        sums.pinball += Math.max(quantileLevels[q]! * miss, (quantileLevels[q]! - 1) * miss)
      }
      const lower = quantiles[k * Q + low]!
      const upper = quantiles[k * Q + high]!
      if (y >= lower && y <= upper) sums.covered++
      sums.width += upper - lower
      sums.truth += Math.abs(y)
      sums.points++
    }
    if (sums.points > before) sums.windows++
  }
}

/** Per metric of one window: mean absolute error over the window's own naive error, where that is not 0. */
export function maseOf({ quantiles, truth, row }: Rows, naive: Float64Array): number[] {
  const found: number[] = []
  for (let v = 0; v < V; v++) {
    let away = 0
    let points = 0
    for (let f = 0; f < F; f++) {
      const k = (row * F + f) * V + v
      if (truth.truthKnown[k] === 0) continue
      away += Math.abs(truth.truth[k]! - quantiles[k * Q + medianIndex]!)
      points++
    }
    if (points > 0 && naive[v]! > 0) found.push(away / points / naive[v]!)
  }
  return found
}

/** Adds one score to another, `times` times. */
export function addScore(to: Score, from: Score, times = 1): void {
  to.metrics.forEach((sums, v) => {
    const more = from.metrics[v]!
    for (const name of sumNames) sums[name] += times * more[name]
  })
}

const sumNames = ['pinball', 'truth', 'points', 'windows', 'covered', 'width'] as const

/** Weighted quantile loss of one metric: NaN when nothing of it was scored or all of it was 0. */
export const metricWql = ({ pinball, truth }: Pick<MetricSums, 'pinball' | 'truth'>): number =>
  truth > 0 ? (2 * pinball) / (scored.length * truth) : NaN

/** The plain mean over the metrics that have one. */
export function wql(score: Score): number {
  let sum = 0
  let known = 0
  for (const metric of score.metrics) {
    if (metric.truth <= 0) continue
    sum += metricWql(metric)
    known++
  }
  return known > 0 ? sum / known : NaN
}

export function coverage80(score: Score): number {
  const points = score.metrics.reduce((sum, m) => sum + m.points, 0)
  return points > 0 ? score.metrics.reduce((sum, m) => sum + m.covered, 0) / points : NaN
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return NaN
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
