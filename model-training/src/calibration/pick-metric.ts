import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import { horizonSteps as F, V } from '@harbinger/shared/window/window-batch'

const P = peakMinutes.length

type Numbers = { readonly quantiles: Float32Array; readonly peaks: Float32Array }

export const metricNumbers = (): Numbers => ({
  quantiles: new Float32Array(F * Q),
  peaks: new Float32Array(P * Q),
})

/** One metric of one row, copied out of [rows][steps][V][Q] into `to`. */
export function pickMetric(
  from: Numbers,
  row: number,
  v: number,
  to: Numbers = metricNumbers(),
): Numbers {
  move(from.quantiles, to.quantiles, { row, v, steps: F, into: false })
  move(from.peaks, to.peaks, { row, v, steps: P, into: false })
  return to
}

/** The other way round. */
export function placeMetric(to: Numbers, row: number, v: number, from: Numbers): void {
  move(to.quantiles, from.quantiles, { row, v, steps: F, into: true })
  move(to.peaks, from.peaks, { row, v, steps: P, into: true })
}

function move(
  all: Float32Array,
  one: Float32Array,
  { row, v, steps, into }: { row: number; v: number; steps: number; into: boolean },
): void {
  for (let step = 0; step < steps; step++) {
    const at = ((row * steps + step) * V + v) * Q
    for (let q = 0; q < Q; q++) {
      if (into) all[at + q] = one[step * Q + q]!
      else one[step * Q + q] = all[at + q]!
    }
  }
}
