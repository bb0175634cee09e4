import type { Jump } from './jumps.ts'
import { type Line, medianOf, robustLine } from './robust.ts'
import type { Track } from './slow-track.ts'

/** A disk that fills and is cleaned again and again, as logs are rotated. */
export type Cycles = {
  readonly periodHours: number
  /** Points that a drop takes. */
  readonly drop: number
  readonly lastDropHour: number
  /** Whether drops come by the clock: then the next one is expected when it is due. */
  readonly isRegular: boolean
  /** The middle of the cycles, where they tend, seen from `lastDropHour`. */
  readonly middle: number
  readonly trend: Line
}

const fewestDrops = 2
/** Drops whose sizes or distances lie within this factor of their median are of one kind. */
const alike = 1.5
/** Two drops alone are a habit when they are as good as equal. */
const twinFactor = 1.2

/** Undefined below two drops, or where their sizes differ too much to be one habit. */
export function cyclesOf({ hours, values }: Track, jumps: readonly Jump[]): Cycles | undefined {
  const all = jumps.filter(({ size }) => size < 0)
  if (all.length < fewestDrops) return undefined
  const usualDrop = -medianOf(all.map(({ size }) => size))!
  const drops = all.filter(({ size }) => isAlike(-size, usualDrop, all.length > 2 ? 2 : twinFactor))
  if (drops.length < fewestDrops || drops.length < 0.6 * all.length) return undefined
  const gaps = drops.slice(1).map(({ after }, i) => hours[after]! - hours[drops[i]!.after]!)
  const periodHours = medianOf(gaps)!
  const isRegular =
    gaps.filter((gap) => isAlike(gap, periodHours, alike)).length >= 0.8 * gaps.length
  // A cycle counts once, by its middle: the trend over cycles is none of what happens within one.
  const x: number[] = []
  const y: number[] = []
  for (let d = 1; d < drops.length; d++) {
    const low = values[drops[d - 1]!.after]!
    const high = values[drops[d]!.before]!
    x.push((hours[drops[d - 1]!.after]! + hours[drops[d]!.before]!) / 2)
    y.push((low + high) / 2)
  }
  const last = drops.at(-1)!
  const lastDropHour = hours[last.after]!
  const trend = robustLine(x, y, [0, x.length]) ?? ends(x, y)
  const middle = medianOf(y.map((value, i) => value + trend.slope * (lastDropHour - x[i]!)))!
  return { periodHours, drop: usualDrop, lastDropHour, isRegular, middle, trend }
}

const isAlike = (value: number, usual: number, factor: number): boolean =>
  value <= usual * factor && value >= usual / factor

/** Too few cycles for a robust line: from the first to the last. */
function ends(x: readonly number[], y: readonly number[]): Line {
  const spanHours = x.at(-1)! - x[0]!
  const slope = spanHours > 0 ? (y.at(-1)! - y[0]!) / spanHours : 0
  return { slope, error: Math.abs(slope), spanHours }
}
