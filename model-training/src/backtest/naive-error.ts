import { historySteps as T, V, type WindowBatch } from '@harbinger/shared/window/window-batch'

/**
 * Per metric the mean absolute step-to-step change over the past of one window: what MASE divides by (Hyndman &
 * Koehler 2006). 0 where it cannot be told.
 */
export function fillNaiveErrors(out: Float64Array, batch: WindowBatch, row: number): void {
  for (let v = 0; v < V; v++) {
    let sum = 0
    let n = 0
    for (let t = 1; t < T; t++) {
      const k = (row * T + t) * V + v
      if (batch.pastKnown[k] === 0 || batch.pastKnown[k - V] === 0) continue
      sum += Math.abs(batch.past[2 * k]! - batch.past[2 * (k - V)]!)
      n++
    }
    out[v] = n > 0 ? sum / n : 0
  }
}
