import { episodeHours, followedHours, K, unknownCode } from './features.ts'
import { type HourRing, ringHours } from './hour-ring.ts'

/** Farther away than this many usual spreads nothing is called similar: two random moments are about 1.8 apart. */
export const farthest = 1
/** A stretch of which less than this share is known is not compared. */
const leastKnown = 0.7

export type Near = { readonly hour: number; readonly distance: number }

const distances = new Float64Array(ringHours)

/**
 * The hours at which a server last looked like `wanted`, nearest first and not overlapping; each with its distance:
 * the root mean square difference in `spread`. `before` is the hour up to which what followed must be over.
 */
export function nearestHours(
  ring: HourRing,
  {
    wanted,
    spread,
    before,
    most,
  }: {
    /** episodeHours rows of K codes. */
    readonly wanted: Uint8Array
    readonly spread: Float64Array
    readonly before: number
    readonly most: number
  },
): { readonly near: readonly Near[]; readonly compared: number } {
  const weight = Float64Array.from(spread, (s) => 1 / (s * s))
  const knownCells = wanted.reduce((n, code) => n + (code === unknownCode ? 0 : 1), 0)
  if (knownCells === 0) return { near: [], compared: 0 }
  const limit = farthest * farthest * knownCells
  const first = Math.max(0, ring.end() - ringHours) + episodeHours
  const last = Math.min(ring.end(), before - followedHours)
  let compared = 0
  for (let hour = first; hour <= last; hour++) {
    const distance = distanceAt(ring, { hour, wanted, weight, limit, knownCells })
    distances[hour - first] = distance
    if (!Number.isNaN(distance)) compared++
  }
  const near: Near[] = []
  while (near.length < most) {
    let best: Near | undefined
    for (let hour = first; hour <= last; hour++) {
      const distance = distances[hour - first]!
      // Not a number compares with nothing.
      if (!(distance <= (best?.distance ?? farthest))) continue
      if (near.some((one) => Math.abs(one.hour - hour) < episodeHours + followedHours)) continue
      best = { hour, distance }
    }
    if (!best) break
    near.push(best)
  }
  return { near, compared }
}

/** Infinity when it is too far, NaN when too little is known. */
function distanceAt(
  { codes, at }: HourRing,
  {
    hour,
    wanted,
    weight,
    limit,
    knownCells,
  }: {
    readonly hour: number
    readonly wanted: Uint8Array
    readonly weight: Float64Array
    readonly limit: number
    readonly knownCells: number
  },
): number {
  let sum = 0
  let known = 0
  for (let h = 0; h < episodeHours; h++) {
    const row = at(hour - episodeHours + h)
    if (row < 0) continue
    for (let k = 0; k < K; k++) {
      const a = wanted[h * K + k]!
      const b = codes[row + k]!
      if (a === unknownCode || b === unknownCode) continue
      sum += (a - b) * (a - b) * weight[k]!
      known++
    }
    // Known everywhere or not, it can only get farther.
    if (sum > limit) return Infinity
  }
  return known < leastKnown * knownCells ? NaN : Math.sqrt(sum / known)
}
