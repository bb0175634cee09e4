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
  const worse = worsens(metric) === 'down' ? -1 : 1
  if (!areNumbers(quantiles) || !areNumbers(peaks)) return false
  orderAll(quantiles, max)
  orderAll(peaks, max)
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

// Plain loops from here on: every forecast of every server passes through them, 3,000 numbers each.
function areNumbers(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) return false
  return true
}

function orderAll(values: Float32Array, max: number): void {
  for (let at = 0; at < values.length; at += Q) {
    // What came before is in range, so a number that is not below it needs no look at 0.
    let before = 0
    for (let q = at; q < at + Q; q++) {
      const value = values[q]!
      if (value >= before && value <= max) before = value
      else {
        order(values, at, max)
        break
      }
    }
  }
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
  { by, from, worse }: { by: Float32Array; from: number; worse: 1 | -1 },
): void {
  for (let q = 0; q < Q; q++) {
    const inside = by[from + q]!
    if (worse * inside > worse * peaks[at + q]!) peaks[at + q] = inside
  }
}
