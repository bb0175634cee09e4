import { createHash } from 'node:crypto'
import type { Series } from '@harbinger/shared/window/series'
import type { Source } from './training-set.ts'
import { bytesOf } from './validation.ts'

/**
 * The hash of all that decides what a training comes to: settings, first weights and every number it learns from. Two
 * runs of one name are one run, and the second may go on where the first stopped.
 */
export function runName(
  settings: object,
  sources: readonly Source[],
  start: Float32Array | undefined,
): string {
  const hash = createHash('sha256').update(JSON.stringify(settings))
  if (start) hash.update(bytesOf(start))
  const seen = new Map<Source['history'], number>()
  for (const { history, weight, from, to, moments, whole } of sources) {
    const place = seen.get(history) ?? seen.size
    hash.update(
      JSON.stringify([history.name, place, weight, from, to, moments ?? [], whole ?? false]),
    )
    if (seen.has(history)) continue
    seen.set(history, place)
    for (const { name, profile, cores, memoryBytes, series } of history.servers) {
      hash.update(JSON.stringify([name, profile, cores, memoryBytes]))
      for (const numbers of numbersOf(series)) hash.update(numbers)
    }
  }
  return hash.digest('hex')
}

const numbersOf = (series: Series): Uint8Array[] =>
  Object.values(series).flatMap((values) =>
    ArrayBuffer.isView(values)
      ? [new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]
      : [],
  )
