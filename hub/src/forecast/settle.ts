import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import { horizonSteps, stepMinutes } from '@harbinger/shared/window/window-batch'

export type Numbers = { readonly quantiles: Float32Array; readonly peaks: Float32Array }

/**
 * The last guard before a forecast is believed: quantiles in order and within the metric's range, and no peak below
 * what a step or a shorter window inside it reaches. False when a number is not a number; then nothing is of use.
 */
export function settle({ quantiles, peaks }: Numbers, max: number): boolean {
  if (!quantiles.every(Number.isFinite) || !peaks.every(Number.isFinite)) return false
  for (let at = 0; at < quantiles.length; at += Q) order(quantiles, at, max)
  for (let at = 0; at < peaks.length; at += Q) order(peaks, at, max)
  let step = 0
  peakMinutes.forEach((minutes, p) => {
    const at = p * Q
    if (p > 0) raise(peaks, at, peaks, at - Q)
    for (; step < Math.min(horizonSteps, minutes / stepMinutes); step++) {
      raise(peaks, at, quantiles, step * Q)
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

function raise(peaks: Float32Array, at: number, floor: Float32Array, from: number): void {
  for (let q = 0; q < Q; q++) peaks[at + q] = Math.max(peaks[at + q]!, floor[from + q]!)
}
