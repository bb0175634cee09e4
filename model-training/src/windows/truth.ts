import { worsens } from '@harbinger/shared/limits'
import { metricIndex, networkMetricNames } from '@harbinger/shared/metrics'
import { peakMinutes } from '@harbinger/shared/forecast/quantiles'
import { minuteCell, minuteMs, type Series } from '@harbinger/shared/window/series'
import { horizonSteps, stepMinutes, V } from '@harbinger/shared/window/window-batch'

const column = networkMetricNames.map((name) => metricIndex[name])
const worstIsLow = networkMetricNames.map((name) => worsens(name) === 'down')
const P = peakMinutes.length

/**
 * What was measured after a window's end, per step and as the worst reading (of idle the lowest minute, of all others the highest reading) of the first 1, 4 and 8 hours. F = 32
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

const sums = new Float64Array(V)
const minutesKnown = new Uint8Array(V)
/** Over the window so far. */
const worst = new Float64Array(V)
const measured = new Float64Array(V)

function note(v: number, value: number): void {
  const before = worst[v]!
  if (Number.isNaN(before) || (worstIsLow[v] ? value < before : value > before)) worst[v] = value
}

/** Writes what `series` measured from `end` (ms) on into row `row`. */
export function fillTruth(
  out: TruthBatch,
  row: number,
  { series, end }: { readonly series: Series; readonly end: number },
): void {
  const { mean, max, count, intervalMinutes } = series
  const start = end / minuteMs
  worst.fill(NaN)
  measured.fill(0)
  let peak = 0
  for (let f = 0; f < horizonSteps; f++) {
    sums.fill(0)
    minutesKnown.fill(0)
    const first = start + f * stepMinutes
    for (let m = first; m < first + stepMinutes; m++) {
      const cell = minuteCell(series, m)
      if (cell < 0) continue
      for (let v = 0; v < V; v++) {
        const c = cell + column[v]!
        if (count[c] === 0) continue
        sums[v] = sums[v]! + mean[c]!
        minutesKnown[v] = minutesKnown[v]! + 1
        note(v, worstIsLow[v] ? mean[c]! : max[c]!)
      }
    }
    for (let v = 0; v < V; v++) {
      const k = (row * horizonSteps + f) * V + v
      const known = minutesKnown[v]!
      out.truth[k] = known > 0 ? sums[v]! / known : 0
      out.truthKnown[k] = known > 0 ? 1 : 0
      measured[v] = measured[v]! + Math.min(stepMinutes, known * intervalMinutes)
    }
    if ((f + 1) * stepMinutes !== peakMinutes[peak]) continue
    for (let v = 0; v < V; v++) {
      // The worst of a window of which less than half was seen says too little about the window.
      const seen = 2 * measured[v]! >= peakMinutes[peak]!
      const p = (row * P + peak) * V + v
      out.peakTruth[p] = seen ? worst[v]! : 0
      out.peakKnown[p] = seen ? 1 : 0
    }
    peak++
  }
}

/** A series seen from its window's end, and how much it counts in a blend. */
export type Strand = { readonly series: Series; readonly end: number; readonly weight: number }

/**
 * Writes the peaks of a blend of two series into row `row`: the worst minute of the weighted sum, where both were
 * measured. Both must have the same step.
 */
export function fillBlendedPeaks(
  out: TruthBatch,
  row: number,
  [one, other]: readonly [Strand, Strand],
): void {
  const first = one.end / minuteMs
  const second = other.end / minuteMs
  const { intervalMinutes } = one.series
  worst.fill(NaN)
  measured.fill(0)
  let peak = 0
  for (let m = 0; m < horizonSteps * stepMinutes; m++) {
    const a = minuteCell(one.series, first + m)
    // Readings every few minutes fall on other minutes in the other series.
    const b = nearestCell(other.series, second + m)
    for (let v = 0; v < V && a >= 0 && b >= 0; v++) {
      const i = a + column[v]!
      const j = b + column[v]!
      if (one.series.count[i] === 0 || other.series.count[j] === 0) continue
      const tier = worstIsLow[v] ? 'mean' : 'max'
      measured[v] = measured[v]! + intervalMinutes
      note(v, one.weight * one.series[tier][i]! + other.weight * other.series[tier][j]!)
    }
    if (m + 1 !== peakMinutes[peak]) continue
    for (let v = 0; v < V; v++) {
      const seen = 2 * measured[v]! >= peakMinutes[peak]!
      const p = (row * P + peak) * V + v
      out.peakTruth[p] = seen ? worst[v]! : 0
      out.peakKnown[p] = seen ? 1 : 0
    }
    peak++
  }
}

function nearestCell(series: Series, minute: number): number {
  for (let m = minute; m < minute + series.intervalMinutes; m++) {
    const cell = minuteCell(series, m)
    if (cell < 0) continue
    for (let v = 0; v < V; v++) if (series.count[cell + column[v]!]! > 0) return cell
  }
  return -1
}
