import { cyclesOf, type Cycles } from './cycles.ts'
import { findJumps, type Jump } from './jumps.ts'
import { type Line, medianOf, robustLine } from './robust.ts'
import { quarterHours, type Track } from './slow-track.ts'

/** What a drop was: files that went (growth goes on as before), a larger disk (growth in % shrinks with it), or unclear yet. */
export type DropKind = 'clean-up' | 'resize' | 'drop'

export type Trend = {
  /** What is expected now, in points. */
  readonly level: number
  /** Points per hour between drops: of late, and of as long as nothing contradicts. */
  readonly recent: Line
  readonly long: Line
  /** The same with what drops took and files brought. */
  readonly net: Line
  /** The middle of all that was measured. */
  readonly usual: number
  /** True where growth of late is none of the kinds seen before: a disk that begins to fill. */
  readonly isNew: boolean
  readonly lastJump:
    { readonly hour: number; readonly size: number; readonly kind: DropKind | 'rise' } | undefined
  readonly cycles: Cycles | undefined
  /** When the disk became another one, as far as is told. */
  readonly resizedAt: readonly number[]
  /** Hours of history behind it. */
  readonly historyHours: number
}

/** Windows for the slope of late, in hours; each is taken if the shorter ones do not contradict it. */
const windows = [1.5, 3, 6, 12, 24, 48, 96, 192, 336] as const
/** Standard errors by which slopes may differ and still say the same. */
const apart = 3
/** A drop is called by name once so many hours after it are known. */
const afterHours = 3
const flat: Line = { slope: 0, error: 0, spanHours: 0 }

/** Fits the first `length` points as they stand at `now` (hours since the epoch). Undefined when there are none. */
export function fitTrend(track: Track, length: number, now: number): Trend | undefined {
  if (length === 0) return undefined
  const { hours, values } = track
  const jumps = findJumps(track, length)
  const cycles = cyclesOf(track, jumps)
  const kinds = jumps.map((jump, i): DropKind | 'rise' => {
    if (jump.size > 0) return 'rise'
    return cycles ? 'clean-up' : dropKind(track, [jumps[i - 1], jump, jumps[i + 1]], length)
  })
  const level = levelled(track, { jumps, kinds, length })
  const { recent, isNew } = lateLine(hours, level, length)
  const long = robustLine(hours, level, [0, length]) ?? recent
  const last = jumps.at(-1)
  // From here on it is the disk that it is now.
  const same = jumps[kinds.lastIndexOf('resize')]?.after ?? 0
  // What went on within the last jump is not the level.
  const from = Math.max(last?.after ?? 0, length - 4)
  const near: number[] = []
  for (let i = from; i < length; i++) near.push(values[i]! + recent.slope * (now - hours[i]!))
  return {
    level: medianOf(near)!,
    recent,
    long,
    net: jumps.length === 0 ? long : (robustLine(hours, values, [same, length]) ?? long),
    usual: medianOf(values.subarray(same, length))!,
    isNew,
    lastJump: last && {
      hour: hours[last.after]!,
      size: last.size,
      kind: kinds.at(-1)!,
    },
    cycles,
    resizedAt: jumps.flatMap(({ after }, i) => (kinds[i] === 'resize' ? [hours[after]!] : [])),
    // A point stands in the middle of its quarter of an hour.
    historyHours: now - hours[0]! + quarterHours / 2,
  }
}

/** The points as if no jump had been: what lies before one is moved, or scaled, to where it ended. */
function levelled(
  { values }: Track,
  {
    jumps,
    kinds,
    length,
  }: {
    readonly jumps: readonly Jump[]
    readonly kinds: readonly (DropKind | 'rise')[]
    readonly length: number
  },
): Float64Array {
  const level = new Float64Array(length)
  let factor = 1
  let offset = 0
  let until = length
  for (let j = jumps.length - 1; j >= 0; j--) {
    const { before, after } = jumps[j]!
    for (let i = after; i < until; i++) level[i] = factor * values[i]! + offset
    level.fill(NaN, before + 1, after)
    const end = factor * values[after]! + offset
    const share = values[before]! > 0 ? values[after]! / values[before]! : 1
    // Unclear: growth is taken to lie between the two kinds.
    if (kinds[j] === 'resize') factor *= share
    if (kinds[j] === 'drop') factor *= (1 + share) / 2
    offset = end - factor * values[before]!
    until = before + 1
  }
  for (let i = 0; i < until; i++) level[i] = factor * values[i]! + offset
  return level
}

/** Told by the growth after it: as fast as before, or slower in proportion to the drop. */
function dropKind(
  { hours, values }: Track,
  [previous, { before, after }, next]: readonly [Jump | undefined, Jump, Jump | undefined],
  length: number,
): DropKind {
  const until = next ? next.before + 1 : length
  if (hours[until - 1]! - hours[after]! < afterHours) return 'drop'
  const grew = robustLine(hours, values, [previous?.after ?? 0, before + 1])
  const grows = robustLine(hours, values, [after, until])
  if (!grew || !grows) return 'drop'
  const share = values[after]! / values[before]!
  const error = Math.hypot(grows.error, grew.error)
  if (Math.abs(grew.slope * (1 - share)) < 2 * error) return 'drop'
  const asBefore = Math.abs(grows.slope - grew.slope)
  const inProportion = Math.abs(grows.slope - share * grew.slope)
  if (Math.min(asBefore, inProportion) > apart * error) return 'drop'
  return inProportion < asBefore ? 'resize' : 'clean-up'
}

/**
 * The slope over the longest window that no shorter one contradicts (Lepski's rule): a steady disk is judged by a
 * fortnight, one that began to fill an hour ago by that hour.
 */
function lateLine(
  hours: Float64Array,
  level: Float64Array,
  length: number,
): { readonly recent: Line; readonly isNew: boolean } {
  const now = hours[length - 1]!
  let low = -Infinity
  let high = Infinity
  let recent: Line | undefined
  let from = length - 1
  for (const window of windows) {
    const begin = from
    while (from > 0 && hours[from - 1]! >= now - window) from--
    if (from === begin && recent) break
    const line = robustLine(hours, level, [from, length])
    if (!line) continue
    if (
      recent &&
      (line.slope - apart * line.error > high || line.slope + apart * line.error < low)
    ) {
      return { recent, isNew: true }
    }
    low = Math.max(low, line.slope - apart * line.error)
    high = Math.min(high, line.slope + apart * line.error)
    recent = line
  }
  return { recent: recent ?? flat, isNew: false }
}
