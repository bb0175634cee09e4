import { Q, quantileLevels } from '../quantiles.ts'
import { expectedAt, isUnseen, lastWeekChange, valueAt, W, ways } from './expected.ts'
import type { Track } from './slow-track.ts'
import { fitTrend, type Trend } from './trend.ts'

/** Hours ahead at which a series is compared with what it came to; between them is interpolated. */
export const learntHours = [0.25, 1, 2, 4, 8, 24, 72, 168, 336] as const
const L = learntHours.length

/** How a series departed from what was expected of it at earlier origins. */
export type PastErrors = {
  /** [9 horizons][6 ways]: how much each way counts; they sum to 1. */
  readonly weights: Float64Array
  /** [9 horizons][7 quantiles] of truth − expectation, in points. */
  readonly quantiles: Float64Array
  /** Slopes of late at those origins, points per hour. */
  readonly slopes: readonly number[]
  readonly origins: number
}

const mostOrigins = 24
/** An origin has at least so many hours before it, and so much of all that is known: less told less than now. */
const warmUpHours = 2
const warmUpShare = 1 / 6
/** With so many origins that knew what is known now (that the disk is cleaned in cycles), only they count. */
const fewestAlike = 6
/** The quantile levels of a standard normal: .02 .1 .25 .5 .75 .9 .98. */
const normal = [-2.054, -1.282, -0.674, 0, 0.674, 1.282, 2.054] as const
/** What is presumed of a disk of which nothing is known: its deviation after a quarter of an hour, in points, … */
const presumed = 0.015
/** … and the power of time by which it grows; known shorter horizons say how far longer ones go by the same power. */
const growth = 0.85
/** So many independent errors count as much as what is presumed. */
const priorCount = 3
/** Even a disk that never moved is known only so well, in points: readings are rounded to hundredths. */
const smallest = 0.002

type Origin = { readonly hour: number; readonly trend: Trend; readonly unseen: boolean }

/** Forecasts again from up to `most` (24) earlier instants, each with what was known then, and keeps how wrong that was. */
export function pastErrors(track: Track, most = mostOrigins): PastErrors {
  const { hours } = track
  const origins: Origin[] = []
  const slopes: number[] = []
  const total = hours.length
  const first = total > 0 ? hours[0]! : 0
  const last = total > 0 ? hours[total - 1]! : 0
  const warmUp = Math.max(warmUpHours, warmUpShare * (last - first))
  const count = Math.min(most, Math.floor((last - first - warmUp) * 2))
  let length = 0
  for (let o = 0; o < count; o++) {
    const hour = first + warmUp + ((last - first - warmUp) * o) / count
    while (length < total && hours[length]! < hour) length++
    const trend = fitTrend(track, length, hour)
    if (!trend) continue
    origins.push({ hour, trend, unseen: isUnseen(trend, slopes) })
    slopes.push(trend.recent.slope)
  }
  const inCycles = origins.filter(({ trend }) => trend.cycles)
  const counted =
    origins.at(-1)?.trend.cycles && inCycles.length >= fewestAlike ? inCycles : origins
  const usual = counted.filter(({ unseen }) => !unseen)
  const resizedAt = fitTrend(track, total, last)?.resizedAt ?? []
  const sizes = new Float64Array(W).fill(presumed)
  const weights = new Float64Array(L * W)
  const quantiles = new Float64Array(L * Q)
  learntHours.forEach((ahead, l) => {
    const known = usual.flatMap(({ hour, trend }) => {
      const truth = valueAt(track, hour + ahead)
      // A larger disk is bought once: what it did to a forecast says nothing of the next one.
      const resized = resizedAt.some((at) => at >= hour && at <= hour + ahead)
      if (truth === undefined || resized) return []
      const place = {
        ahead,
        now: hour,
        lastWeek: lastWeekChange(track, trend, { now: hour, ahead }),
      }
      return [Array.from({ length: W }, (_, w) => truth - expectedAt(trend, w, place))]
    })
    weigh(weights, l, { known, sizes })
    const errors = known.map((each) => each.reduce((sum, e, w) => sum + weights[l * W + w]! * e, 0))
    spread(quantiles, l, { errors, independent: Math.min(errors.length, (last - first) / ahead) })
  })
  return { weights, quantiles, slopes, origins: origins.length }
}

/** Ways that go nowhere. */
const staying: ReadonlySet<string> = new Set<(typeof ways)[number]>(['level', 'usual', 'week'])

/**
 * Ways weigh by the squares of their mean past errors. `sizes` are those of the horizon before: they stand for this one
 * as far as it is not known itself, grown in
 * proportion to time where a line goes on and to its root where a level stays.
 */
function weigh(
  weights: Float64Array,
  l: number,
  {
    known,
    sizes,
  }: { readonly known: readonly (readonly number[])[]; readonly sizes: Float64Array },
): void {
  const longer = l === 0 ? 1 : learntHours[l]! / learntHours[l - 1]!
  let sum = 0
  for (let w = 0; w < W; w++) {
    const total = known.reduce((s, each) => s + Math.abs(each[w]!), 0)
    const grown = sizes[w]! * (staying.has(ways[w]!) ? Math.sqrt(longer) : longer)
    sizes[w] = (total + grown) / (known.length + 1)
    weights[l * W + w] = 1 / (sizes[w]! ** 2 + smallest ** 2)
    sum += weights[l * W + w]!
  }
  for (let w = 0; w < W; w++) weights[l * W + w]! /= sum
}

function spread(
  quantiles: Float64Array,
  l: number,
  { errors, independent }: { readonly errors: number[]; readonly independent: number },
): void {
  const sorted = Float64Array.from(errors).sort()
  const share = independent / (independent + priorCount)
  const longer = l === 0 ? 1 : (learntHours[l]! / learntHours[l - 1]!) ** growth
  for (let q = 0; q < Q; q++) {
    const usual = normal[q]! * presumed * (learntHours[l]! / learntHours[0]) ** growth
    const before = l === 0 ? usual : (usual + quantiles[(l - 1) * Q + q]! * longer) / 2
    const seen = sorted.length > 0 ? outer(sorted, quantileLevels[q]!) : before
    quantiles[l * Q + q] = share * seen + (1 - share) * before + normal[q]! * smallest
  }
}

/** Type 6 of Hyndman & Fan (1996), (n + 1) p: the outer quantiles of few errors are not drawn inwards. */
function outer(sorted: Float64Array, level: number): number {
  const place = Math.min(sorted.length - 1, Math.max(0, (sorted.length + 1) * level - 1))
  const below = Math.floor(place)
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return sorted[below]! + (high - sorted[below]!) * (place - below)
}
