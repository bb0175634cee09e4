import { metricIndex, networkMetricNames } from '@harbinger/shared/metrics'
import { peakMinutes } from '@harbinger/shared/forecast/quantiles'
import { minuteCell, minuteMs, type Series } from '@harbinger/shared/window/series'
import { horizonSteps, stepMinutes, V } from '@harbinger/shared/window/window-batch'

const column = networkMetricNames.map((name) => metricIndex[name])
const P = peakMinutes.length

/**
 * What was measured after a window's end, per step and as the highest reading of the first 1, 4 and 8 hours. F = 32
 * steps, P = 3 peaks, V = 12 metrics; 0 with known 0 where nothing was measured, so that nothing imputed is ever
 * scored or learnt.
 */
export type TruthBatch = {
  /** [size, F, V] */
  readonly truth: Float32Array
  readonly truthKnown: Float32Array
  /** [size, P, V] */
  readonly peakTruth: Float32Array
  readonly peakKnown: Float32Array
}

export const truthBatch = (size: number): TruthBatch => ({
  truth: new Float32Array(size * horizonSteps * V),
  truthKnown: new Float32Array(size * horizonSteps * V),
  peakTruth: new Float32Array(size * P * V),
  peakKnown: new Float32Array(size * P * V),
})

/** Writes what `series` measured from `end` (ms) on into row `row`. */
export function fillTruth(
  out: TruthBatch,
  row: number,
  { series, end }: { readonly series: Series; readonly end: number },
): void {
  const first = end / minuteMs
  for (let v = 0; v < V; v++) {
    const c = column[v]!
    let highest = 0
    let measured = 0
    for (let f = 0; f < horizonSteps; f++) {
      let sum = 0
      let known = 0
      for (let m = first + f * stepMinutes; m < first + (f + 1) * stepMinutes; m++) {
        const cell = minuteCell(series, m)
        if (cell < 0 || series.count[cell + c] === 0) continue
        sum += series.mean[cell + c]!
        known++
        highest = Math.max(highest, series.max[cell + c]!)
      }
      const k = (row * horizonSteps + f) * V + v
      out.truth[k] = known > 0 ? sum / known : 0
      out.truthKnown[k] = known > 0 ? 1 : 0
      measured += Math.min(stepMinutes, known * series.intervalMinutes)
      const peak = peakMinutes.indexOf(((f + 1) * stepMinutes) as (typeof peakMinutes)[number])
      if (peak < 0) continue
      // The highest of a window of which less than half was seen says too little about the window.
      const seen = 2 * measured >= peakMinutes[peak]!
      const p = (row * P + peak) * V + v
      out.peakTruth[p] = seen ? highest : 0
      out.peakKnown[p] = seen ? 1 : 0
    }
  }
}
