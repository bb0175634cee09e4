import { horizonSteps, stepMinutes } from '../../window/window-batch.ts'
import { peakMinutes, Q } from '../quantiles.ts'
import { expectedAt, isUnseen, lastWeekChange, W, ways } from './expected.ts'
import { learntHours, type PastErrors, pastErrors } from './past-errors.ts'
import { hoursOf, slowTrack, type Track } from './slow-track.ts'
import { fitTrend, type Trend } from './trend.ts'
import type { Series } from '../../window/series.ts'

/** What is forecast of a slow metric, in its own unit. */
export type SlowForecast = {
  /** `baseline:robust-trend` or `baseline:arithmetic`. */
  readonly source: string
  readonly sourceReason: string
  /** [32 steps][7 quantiles] */
  readonly quantiles: Float32Array
  /** [60, 240, 480 minutes][7 quantiles] of the highest value within */
  readonly peaks: Float32Array
  readonly daysAhead: DaysAhead
}

/** The days to come, as far as the history allows. */
export type DaysAhead = {
  /** Hours from the window's end, the first of `aheadHours`; empty where the history is too short. */
  readonly hours: readonly number[]
  /** Why it does not reach 14 days; null when it does. */
  readonly reason: string | null
  /** [hours][7 quantiles] of the value then */
  readonly quantiles: Float32Array
}

/** Every 4 hours up to 2 days, every 12 hours up to 14: where the steps end, the days go on. */
export const aheadHours: readonly number[] = [
  ...Array.from({ length: 10 }, (_, i) => 12 + 4 * i),
  ...Array.from({ length: 24 }, (_, i) => 60 + 12 * i),
]
export const mostDays = 14
/** The future is told at most so many times as far as the past is known, and by no less than six hours of it. */
const reach = 4
const fewestHours = 6

/**
 * Disk use to come by its robust trend; the past errors may be those of up to an hour ago, as they change slowly.
 * Undefined when disk was not measured.
 */
export function diskForecast(
  series: Series,
  now: number,
  learnt?: PastErrors,
): SlowForecast | undefined {
  return trackForecast(slowTrack(series, 'disk_usage_pct', now), hoursOf(now), learnt)
}

/** The same of a track; `now` in hours since the epoch. */
export function trackForecast(
  track: Track,
  now: number,
  learnt: PastErrors = pastErrors(track),
): SlowForecast | undefined {
  const trend = fitTrend(track, track.hours.length, now)
  if (!trend) return undefined
  const unseen = isUnseen(trend, learnt.slopes)
  const at = (out: Float32Array, place: number, ahead: number): void =>
    fillQuantiles(out, place, { track, trend, unseen, learnt, ahead, now })
  const quantiles = new Float32Array(horizonSteps * Q)
  for (let f = 0; f < horizonSteps; f++) at(quantiles, f, ((f + 0.5) * stepMinutes) / 60)
  const known = trend.historyHours
  const hours = known < fewestHours ? [] : aheadHours.filter((ahead) => ahead <= reach * known)
  const days = new Float32Array(hours.length * Q)
  hours.forEach((ahead, place) => at(days, place, ahead))
  return {
    source: 'baseline:robust-trend',
    sourceReason: reasonOf(trend, unseen, now),
    quantiles,
    peaks: highest(quantiles),
    daysAhead: { hours, reason: shortReason(known, hours.at(-1)), quantiles: days },
  }
}

function shortReason(known: number, furthest: number | undefined): string | null {
  if (furthest === undefined) return `less than ${fewestHours} h of history tell no day ahead`
  return furthest === aheadHours.at(-1)
    ? null
    : `${span(known)} of history tell ${span(furthest)} ahead`
}

/** How far growth that has just begun goes, in shares of its own path: it may end at any time. */
const unseenSpread = [-0.95, -0.65, -0.25, 0, 0.1, 0.25, 0.5] as const

type Ahead = {
  readonly track: Track
  readonly trend: Trend
  readonly unseen: boolean
  readonly learnt: PastErrors
  readonly ahead: number
  readonly now: number
}

function fillQuantiles(out: Float32Array, place: number, how: Ahead): void {
  const { track, trend, unseen, learnt, ahead, now } = how
  const { l, share } = between(ahead)
  const mixed = (of: Float64Array, width: number, k: number): number =>
    (1 - share) * of[l * width + k]! +
    share * of[Math.min(l + 1, learntHours.length - 1) * width + k]!
  const span = { ahead, now, lastWeek: lastWeekChange(track, trend, { now, ahead }) }
  let middle = 0
  for (let w = 0; w < W; w++) {
    const weight = unseen ? Number(ways[w] === 'recent') : mixed(learnt.weights, W, w)
    middle += weight * expectedAt(trend, w, span)
  }
  const way = unseen ? trend.recent.slope * ahead : 0
  let last = 0
  for (let q = 0; q < Q; q++) {
    const mirrored = way < 0 ? -unseenSpread[Q - 1 - q]! : unseenSpread[q]!
    const value = clamp(middle + mixed(learnt.quantiles, Q, q) + Math.abs(way) * mirrored)
    last = q === 0 ? value : Math.max(last, value)
    out[place * Q + q] = last
  }
}

/** The learnt horizon before `ahead`, and the share of the next one, by the logarithm of time. */
function between(ahead: number): { readonly l: number; readonly share: number } {
  if (ahead <= learntHours[0]) return { l: 0, share: 0 }
  let l = 0
  while (l < learntHours.length - 2 && ahead > learntHours[l + 1]!) l++
  const share = Math.log(ahead / learntHours[l]!) / Math.log(learntHours[l + 1]! / learntHours[l]!)
  return { l, share: Math.min(1, share) }
}

/** The highest of each quantile over the steps of each window: right for what moves in one direction. */
export function highest(quantiles: Float32Array): Float32Array {
  const peaks = new Float32Array(peakMinutes.length * Q)
  peakMinutes.forEach((minutes, p) => {
    for (let f = 0; f < minutes / stepMinutes; f++) {
      for (let q = 0; q < Q; q++) {
        peaks[p * Q + q] = Math.max(peaks[p * Q + q]!, quantiles[f * Q + q]!)
      }
    }
  })
  return peaks
}

function reasonOf({ lastJump, cycles, historyHours }: Trend, unseen: boolean, now: number): string {
  if (unseen)
    return 'disk has begun to change faster than in its history; forecast by its growth of late'
  if (cycles) {
    return `disk is cleaned about every ${span(cycles.periodHours)}; forecast by its trend over these cycles`
  }
  if (historyHours < 2) return 'less than two hours of history, so the level is taken to stay'
  if (!lastJump) return `disk is forecast by its trend over the last ${span(historyHours)}`
  const what = {
    rise: 'files came',
    'clean-up': 'a clean-up',
    resize: 'a larger disk',
    drop: 'a drop',
  }[lastJump.kind]
  return `disk is forecast by its trend from where it stood after its last jump (${what}, ${span(now - lastJump.hour)} ago)`
}

const span = (hours: number): string =>
  hours < 48 ? `${Math.max(1, Math.round(hours))} h` : `${Math.round(hours / 24)} d`

const clamp = (value: number): number => Math.min(100, Math.max(0, value))
