import { medianOf } from './robust.ts'
import { quarterHours, type Track } from './slow-track.ts'

/** A change too fast to be growth: files went or came, or the disk itself changed. */
export type Jump = {
  /** The last point before and the first after; what lies between belongs to neither. */
  readonly before: number
  readonly after: number
  readonly size: number
}

/** Smaller changes are not told from growth, in points. */
const jumpPoints = 1
/** A jump moves so many times as much as a quarter of an hour usually does, in all and … */
const jumpFactor = 8
/** … in every quarter it lasts, and then at least so many points. */
const stepFactor = 5
const stepPoints = 0.12
/** What rises for longer than this is growth. What falls may take its time: a slow clean-up is still one. */
const longestRise = 3
/** Changes that say what is usual: the last two days'. */
const usualChanges = 192

/** The jumps of the first `length` points, oldest first. */
export function findJumps({ hours, values }: Track, length: number): readonly Jump[] {
  if (length < 2) return []
  const sizes: number[] = []
  for (let i = Math.max(1, length - usualChanges); i < length; i++) {
    sizes.push(Math.abs(values[i]! - values[i - 1]!))
  }
  const usual = medianOf(sizes)!
  const step = Math.max(stepPoints, stepFactor * usual)
  const whole = Math.max(jumpPoints, jumpFactor * usual)
  const jumps: Jump[] = []
  let i = 1
  while (i < length) {
    const before = i - 1
    const sign = Math.sign(values[i]! - values[before]!)
    let longGap = false
    while (i < length && sign * (values[i]! - values[i - 1]!) >= step) {
      longGap ||= hours[i]! - hours[i - 1]! > 2 * quarterHours
      i++
    }
    const after = i - 1
    const size = values[after]! - values[before]!
    // Whatever happened while nobody looked may have taken as long as nobody looked.
    const limit = longGap ? whole + usual * (hours[after]! - hours[before]!) * 4 : whole
    if (after > before && Math.abs(size) >= limit && (size < 0 || after - before <= longestRise)) {
      jumps.push({ before, after, size })
    }
    if (after === before) i++
  }
  return jumps
}
