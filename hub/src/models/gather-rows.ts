import type { WindowBatch } from '@harbinger/shared/window/window-batch'

/** Some rows of a batch as a batch of their own, whatever tensors a window has. */
export function gatherRows(batch: WindowBatch, rows: readonly number[]): WindowBatch {
  const gathered = Object.entries(batch).map(([name, tensor]) => {
    if (typeof tensor === 'number') return [name, rows.length]
    const width = tensor.length / batch.size
    const Kind = tensor.constructor as new (length: number) => Float32Array
    const copy = new Kind(width * rows.length)
    rows.forEach((row, i) => {
      copy.set((tensor as Float32Array).subarray(row * width, (row + 1) * width), i * width)
    })
    return [name, copy]
  })
  return Object.fromEntries(gathered) as unknown as WindowBatch
}
