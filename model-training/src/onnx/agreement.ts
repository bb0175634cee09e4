import { type WindowBatch, windowBatch } from '@harbinger/shared/window/window-batch'
import { forecastWidths, type NetworkForecast } from './inference.ts'

/** How far a device may be from the processor, as a share of the number or of 1, whichever is larger. */
export const agreement = 1e-3

/** Windows of no server, the same every time: every input between 0 and 1. */
export function probeWindows(size: number): WindowBatch {
  const batch = windowBatch(size)
  let state = 1
  for (const tensor of Object.values(batch)) {
    if (!(tensor instanceof Float32Array)) continue
    for (let i = 0; i < tensor.length; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      tensor[i] = state / 2 ** 32
    }
  }
  return batch
}

/** One row of a batch, as a batch of its own over the same memory. */
export function oneRow(batch: WindowBatch, row: number): WindowBatch {
  const entries = Object.entries(batch).map(([name, tensor]) => {
    if (typeof tensor === 'number') return [name, 1]
    const width = tensor.length / batch.size
    return [name, tensor.subarray(row * width, (row + 1) * width)]
  })
  return Object.fromEntries(entries) as unknown as WindowBatch
}

/**
 * The largest difference between rows `row` on of one forecast and all of another, as a share of the number or of 1.
 * Infinity where one is no number and the other is.
 */
export function largestDifference(
  made: NetworkForecast,
  reference: NetworkForecast,
  row = 0,
): number {
  let largest = 0
  for (const name of Object.keys(reference) as (keyof NetworkForecast)[]) {
    const expected = reference[name]
    const from = row * forecastWidths[name]
    for (let i = 0; i < expected.length; i++) {
      const a = expected[i]!
      const b = made[name][from + i]!
      if (Number.isNaN(a) && Number.isNaN(b)) continue
      const difference = Math.abs(a - b) / Math.max(1, Math.abs(a))
      if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference
    }
  }
  return largest
}
