import { episodeHours, followedHours, K, unknownCode } from './features.ts'
import { type HourRing, ringHours } from './hour-ring.ts'

/** Farther away than this many usual spreads nothing is called similar: two random episodes are about 1.8 apart. */
export const farthest = 1
/** A stretch of which less than this share is known is not compared. */
const leastKnown = 0.7

export type Near = { readonly hour: number; readonly distance: number }

const distances = new Float64Array(ringHours)

/**
 * The hours at which a server last looked like `wanted`, nearest first and not overlapping; each with its distance:
 * the root mean square difference in usual spreads. `before` is the hour up to which what followed must be over.
 */
export function nearestHours(
  ring: HourRing,
  {
    wanted,
    within,
    before,
    most,
  }: {
    readonly wanted: Wanted
    /** Farther ones are of no use; at most `farthest`. */
    readonly within: number
    readonly before: number
    readonly most: number
  },
): { readonly near: readonly Near[]; readonly compared: number } {
  if (wanted.place.length === 0) return { near: [], compared: 0 }
  const first = Math.max(0, ring.end() - ringHours) + episodeHours
  const last = Math.min(ring.end(), before - followedHours)
  const limit = within * within * wanted.place.length
  let compared = 0
  for (let hour = first; hour <= last; hour++) {
    const distance = distanceAt(ring.codes, ((hour - episodeHours) % ringHours) * K, {
      wanted,
      limit,
    })
    distances[hour - first] = distance
    if (!Number.isNaN(distance)) compared++
  }
  const near: Near[] = []
  while (near.length < most) {
    let best: Near | undefined
    for (let hour = first; hour <= last; hour++) {
      const distance = distances[hour - first]!
      // Not a number compares with nothing.
      if (!(distance <= (best?.distance ?? within))) continue
      if (near.some((one) => Math.abs(one.hour - hour) < episodeHours + followedHours)) continue
      best = { hour, distance }
    }
    if (!best) break
    near.push(best)
  }
  return { near, compared }
}

/** A stretch to look for. */
export type Wanted = {
  /** Place in a stretch, code and weight of each known cell, the newest hour first: it tells most apart. */
  readonly place: Int32Array
  readonly code: Float64Array
  readonly weight: Float64Array
}

/** From episodeHours rows of K codes, and how far each feature usually is from its mean. */
export function toWanted(wanted: Uint8Array, spread: Float64Array): Wanted {
  const cells = [...wanted.keys()].filter((cell) => wanted[cell] !== unknownCode).reverse()
  return {
    place: Int32Array.from(cells),
    code: Float64Array.from(cells, (cell) => wanted[cell]!),
    weight: Float64Array.from(cells, (cell) => 1 / spread[cell % K]! ** 2),
  }
}

/** Infinity when it is too far, NaN when too little is known. The stretch begins at `first` and may wrap around. */
function distanceAt(
  codes: Uint8Array,
  first: number,
  {
    wanted,
    limit,
  }: {
    readonly wanted: Wanted
    /** Sum of weighted squares from which it is too far, known everywhere or not. */
    readonly limit: number
  },
): number {
  const { place, code, weight } = wanted
  const n = place.length
  const size = codes.length
  let sum = 0
  let known = 0
  for (let i = 0; i < n; i++) {
    let at = first + place[i]!
    if (at >= size) at -= size
    const there = codes[at]!
    if (there === unknownCode) continue
    const away = there - code[i]!
    sum += away * away * weight[i]!
    if (sum > limit) return Infinity
    known++
  }
  return known < leastKnown * n ? NaN : Math.sqrt(sum / known)
}
