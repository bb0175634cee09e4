import { worsens } from '../limits.ts'
import { type MetricName, metrics } from '../metrics.ts'
import { horizonSteps, stepMinutes } from '../window/window-batch.ts'
import { peakMinutes, Q } from './quantiles.ts'

export type Numbers = { readonly quantiles: Float32Array; readonly peaks: Float32Array }

/**
 * The last guard before a forecast is believed: quantiles in order and within the metric's range, and no peak less
 * bad than what a step or a shorter window inside it reaches: of idle not higher, of all others not lower. False when a number is not a number; then nothing is of use.
 */
export function settle({ quantiles, peaks }: Numbers, metric: MetricName): boolean {
  const max = metrics[metric].max ?? Infinity
  const worse = worsens(metric) === 'down' ? Math.min : Math.max
  if (!quantiles.every(Number.isFinite) || !peaks.every(Number.isFinite)) return false
  for (let at = 0; at < quantiles.length; at += Q) order(quantiles, at, max)
  for (let at = 0; at < peaks.length; at += Q) order(peaks, at, max)
  let step = 0
  peakMinutes.forEach((minutes, p) => {
    const at = p * Q
    if (p > 0) worsen(peaks, at, { by: peaks, from: at - Q, worse })
    for (; step < Math.min(horizonSteps, minutes / stepMinutes); step++) {
      worsen(peaks, at, { by: quantiles, from: step * Q, worse })
    }
  })
  return true
}

function order(values: Float32Array, at: number, max: number): void {
  for (let q = 0; q < Q; q++) {
    const value = Math.min(max, Math.max(0, values[at + q]!))
    let place = at + q
    for (; place > at && values[place - 1]! > value; place--) values[place] = values[place - 1]!
    values[place] = value
  }
}

function worsen(
  peaks: Float32Array,
  at: number,
  { by, from, worse }: { by: Float32Array; from: number; worse: (a: number, b: number) => number },
): void {
  for (let q = 0; q < Q; q++) peaks[at + q] = worse(peaks[at + q]!, by[from + q]!)
}
