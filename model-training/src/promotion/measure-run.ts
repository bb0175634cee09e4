import { Q } from '@harbinger/shared/forecast/quantiles'
import { agreement, largestDifference, oneRow, probeWindows } from '../onnx/agreement.ts'
import type { Inference } from '../onnx/inference.ts'

/** How a model runs on this machine. */
export type RunMeasure = {
  readonly msPerWindow: number
  /** Largest difference between a window alone and the same window among 90, as a share of the number or of 1. */
  readonly difference: number
  /** Every number is one, and quantiles are in order. */
  readonly sound: boolean
}

export const parityBound = agreement
const manyRows = 90
const timedRuns = 5

/** Times a model and holds what it says of windows in a batch against what it says of them alone. */
export async function measureRun(inference: Inference): Promise<RunMeasure> {
  const many = probeWindows(manyRows)
  const together = await inference.infer(many)
  let difference = 0
  for (const row of [0, 1, manyRows - 1]) {
    const alone = await inference.infer(oneRow(many, row))
    difference = Math.max(difference, largestDifference(together, alone, row))
  }
  const times: number[] = []
  for (let i = 0; i < timedRuns; i++) {
    const began = performance.now()
    await inference.infer(many)
    times.push((performance.now() - began) / manyRows)
  }
  return {
    // The best of a few: whatever else the machine does only adds.
    msPerWindow: Number(Math.min(...times).toPrecision(4)),
    difference: Number(difference.toPrecision(3)),
    sound: inOrder(together.quantiles) && inOrder(together.peaks),
  }
}

function inOrder(quantiles: Float32Array): boolean {
  for (let i = 0; i < quantiles.length; i++) {
    if (!Number.isFinite(quantiles[i]!)) return false
    if (i % Q > 0 && quantiles[i]! < quantiles[i - 1]!) return false
  }
  return true
}
