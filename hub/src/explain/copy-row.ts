import type { WindowBatch } from '@harbinger/shared/window/window-batch'

/** Copies the first row of `from` into row `row` of `to`, whatever tensors a window has. */
export function copyRow(from: WindowBatch, to: WindowBatch, row: number): void {
  const target = to as unknown as { readonly [name: string]: Float32Array | BigInt64Array }
  for (const [name, tensor] of Object.entries(from)) {
    if (typeof tensor === 'number') continue
    const width = tensor.length / from.size
    const into = target[name]!
    if (into instanceof BigInt64Array)
      into.set(tensor.subarray(0, width) as BigInt64Array, row * width)
    else into.set(tensor.subarray(0, width) as Float32Array, row * width)
  }
}
