import { quantileOfSorted } from '../quantiles.ts'
import type { Track } from './slow-track.ts'
import type { Trend } from './trend.ts'

/**
 * Ways to go on from now: as it is; growing as of late; growing as in the long run; as in the same hours a week ago; as
 * growth and clean-ups together have it in the long run; back to the usual. Past errors say which is right.
 */
export const ways = ['level', 'recent', 'long', 'week', 'net', 'usual'] as const
export const W = ways.length

const weekHours = 7 * 24

/** Where a trend is in `ahead` hours, by way `w`; `lastWeek` is how far the disk went in these hours a week before. */
export function expectedAt(
  trend: Trend,
  w: number,
  {
    ahead,
    now,
    lastWeek,
  }: { readonly ahead: number; readonly now: number; readonly lastWeek: number | undefined },
): number {
  const { level, recent, long, cycles } = trend
  if (ways[w] === 'week' && lastWeek !== undefined) return level + lastWeek
  if (ways[w] === 'level') return level
  if (ways[w] === 'net') return level + trend.net.slope * ahead
  if (ways[w] === 'usual') return trend.usual
  if (ways[w] === 'recent') return level + recent.slope * ahead
  if (!cycles) return level + long.slope * ahead
  const { periodHours, drop, lastDropHour, isRegular, middle } = cycles
  const since = now - lastDropHour
  const climb = drop / periodHours + cycles.trend.slope
  if (isRegular) {
    // A drop that is overdue is due any moment: it is not counted before it is there.
    const phase = Math.min(since, periodHours * 0.999)
    const drops = Math.floor((phase + ahead) / periodHours)
    return level + climb * ahead - drops * drop
  }
  const fade = Math.exp(-ahead / periodHours)
  return (
    fade * (level + climb * ahead) + (1 - fade) * (middle + cycles.trend.slope * (since + ahead))
  )
}

/** Slower growth is none that begins, in points per hour. */
const slowest = 0.15
/** Growth that begins is so many times as fast as nearly all that was seen before. */
const faster = 2.5

/** Whether a trend is one that the past does not know; `slopes` are those at earlier origins. */
export function isUnseen(trend: Trend, slopes: readonly number[]): boolean {
  if (!trend.isNew) return false
  const size = Math.abs(trend.recent.slope)
  if (size < slowest) return false
  if (slopes.length === 0) return true
  const sorted = Float64Array.from(slopes, Math.abs).sort()
  return size > faster * quantileOfSorted(sorted, 0.9)
}

/** How far a track went in the `ahead` hours from a week before `now`; of longer spans, from as many weeks as it takes. */
export function lastWeekChange(
  track: Track,
  { resizedAt }: Trend,
  { now, ahead }: { readonly now: number; readonly ahead: number },
): number | undefined {
  const weeks = Math.max(1, Math.ceil(ahead / weekHours))
  // That was another disk.
  if (now - weeks * weekHours < (resizedAt.at(-1) ?? -Infinity)) return undefined
  const then = valueAt(track, now - weeks * weekHours)
  if (then === undefined) return undefined
  const later = valueAt(track, now + ahead - weeks * weekHours)
  return later === undefined ? undefined : later - then
}

/** What was measured within a quarter of an hour of `hour`; undefined when nothing was. */
export function valueAt({ hours, values }: Track, hour: number): number | undefined {
  let low = 0
  let high = hours.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (hours[middle]! < hour) low = middle + 1
    else high = middle
  }
  const after = low < hours.length ? hours[low]! - hour : Infinity
  const before = low > 0 ? hour - hours[low - 1]! : Infinity
  if (Math.min(after, before) > 0.2) return undefined
  return values[after < before ? low : low - 1]
}
