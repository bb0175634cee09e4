import { networkMetricNames } from '@harbinger/shared/metrics'
import { profiles } from '@harbinger/shared/profiles'
import { historySteps, V } from '@harbinger/shared/window/window-batch'
import { trainingBatch } from './training-batch.ts'
import { drawBatch, type Source } from './training-set.ts'

/** Profile ids: unknown and the seven. */
const rows = profiles.length + 1
const windows = 2048
/** A profile with fewer windows than this is scaled like all servers. */
const enoughWindows = 20

/** What a metric moves by where no history shows it, in its unit: small against what an operator looks at. */
const presumed = (name: string): number => (name.endsWith('_pct') ? 1 : 0.5)

/**
 * How much each metric usually moves within a window, per profile: [8][12], row 0 for a server of unknown profile.
 * The mean over windows of the mean absolute deviation; windows in which nothing moves count.
 */
export function profileScale(sources: readonly Source[], seed: number): Float32Array {
  const batch = drawBatch(trainingBatch(windows), sources, { seed, place: -1, augment: false })
  const found: number[][] = Array.from({ length: rows * V }, () => [])
  for (let row = 0; row < windows; row++) {
    const profile = Number(batch.profile[row])
    for (let v = 0; v < V; v++) {
      const moved = deviation(batch, row, v)
      if (moved === undefined) continue
      found[v]!.push(moved)
      if (profile > 0) found[profile * V + v]!.push(moved)
    }
  }
  const scale = new Float32Array(rows * V)
  for (let k = 0; k < rows * V; k++) {
    const own = found[k]!.length >= enoughWindows || k < V ? found[k]! : found[k % V]!
    const usual = own.length > 0 ? own.reduce((a, b) => a + b, 0) / own.length : 0
    const floor = 0.02 * presumed(networkMetricNames[k % V]!)
    scale[k] = own.length === 0 ? presumed(networkMetricNames[k % V]!) : Math.max(floor, usual)
  }
  return scale
}

function deviation(
  { past, pastKnown }: { readonly past: Float32Array; readonly pastKnown: Float32Array },
  row: number,
  v: number,
): number | undefined {
  let sum = 0
  let known = 0
  for (let t = 0; t < historySteps; t++) {
    const k = (row * historySteps + t) * V + v
    if (pastKnown[k] === 0) continue
    sum += past[2 * k]!
    known++
  }
  if (known < 8) return undefined
  const mean = sum / known
  let away = 0
  for (let t = 0; t < historySteps; t++) {
    const k = (row * historySteps + t) * V + v
    if (pastKnown[k]! > 0) away += Math.abs(past[2 * k]! - mean)
  }
  return away / known
}
