import { quantileOfSorted } from '../quantiles.ts'
import type { Trend } from './trend.ts'

/** Ways to go on from now: as it is, as of late, as in the long run. Which of them is right, past errors say. */
export const ways = ['level', 'recent', 'long'] as const
export const W = ways.length

/** Where a trend is in `ahead` hours, by way `w`. */
export function expectedAt(trend: Trend, w: number, ahead: number, now: number): number {
  const { level, recent, long, cycles } = trend
  if (ways[w] === 'level') return level
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
