import {
  historySteps as T,
  horizonSteps as F,
  V,
  type WindowBatch,
} from '../window/window-batch.ts'

/*
 * Constants of the strong baseline, chosen on days 8–25 of the real trace (model-training/LOG.md, "The baseline").
 */

/** How fast a server that just left its usual level goes back to it: half of the way in so many steps of 15 minutes. */
export const correctionHalfLifeSteps = 20
/** "The level now" is the mean deviation of the last steps, each step back weighing e^(−1/2) of the next. */
const levelDecay = Math.exp(-1 / 2)
/** How much of the last day's mean deviation is a new level rather than weather, and how fast that one fades. */
export const dayShare = 0.8
export const dayHalfLifeSteps = 192
/** Yesterday's share beside the mean of the last seven days. */
export const yesterdayShare = 0.1
/** A new level lifts busy hours more than quiet ones, but never by more than this. */
const maxLift = 3

/** On the second day only yesterday is known, and its difference from today fades faster: half of it in two hours. */
const firstDayDecay = 0.5 ** (1 / 8)
/** Steps about the same time yesterday that tell how much today differs from it. */
const sameTimeSteps = 3

const fastDecay = 0.5 ** (1 / correctionHalfLifeSteps)
const slowDecay = 0.5 ** (1 / dayHalfLifeSteps)

/** What the past of one metric in one window says about its level. */
export type Level = {
  /** Mean of the known past; 0 when nothing is known. */
  readonly mean: number
  /** The level now minus that mean. */
  readonly offset: number
  /** Whether any past step has a same-time mean of the days before. */
  readonly usual: boolean
  /** Deviation from the usual now, and on average over the window. */
  readonly deviation: number
  readonly dayDeviation: number
  /** Mean of the usual over the window. */
  readonly usualMean: number
  /** The level now minus that of the same time yesterday; 0 when the window does not reach back so far. */
  readonly sinceYesterday: number
}

/** Reads the level of metric `v` in `row` from the steps before `steps` (all of the past by default). */
export function levelOf(batch: WindowBatch, row: number, v: number, steps: number = T): Level {
  const { past, pastKnown, seasonalPast, seasonalPastKnown } = batch
  let known = 0
  let sum = 0
  let level = 0
  let levelWeight = 0
  let deviation = 0
  let deviationWeight = 0
  let daySum = 0
  let usualSum = 0
  let both = 0
  let weight = 1
  for (let t = steps - 1; t >= 0; t--, weight *= levelDecay) {
    const k = (row * T + t) * V + v
    const share = pastKnown[k]!
    if (share === 0) continue
    const x = past[2 * k]!
    sum += share * x
    known += share
    level += weight * x
    levelWeight += weight
    if (seasonalPastKnown[k]! === 0) continue
    const above = x - seasonalPast[k]!
    deviation += weight * above
    deviationWeight += weight
    daySum += above
    usualSum += seasonalPast[k]!
    both++
  }
  const mean = known > 0 ? sum / known : 0
  return {
    mean,
    offset: levelWeight > 0 ? level / levelWeight - mean : 0,
    usual: both > 0,
    deviation: deviationWeight > 0 ? deviation / deviationWeight : 0,
    dayDeviation: both > 0 ? daySum / both : 0,
    usualMean: both > 0 ? usualSum / both : 0,
    sinceYesterday:
      levelWeight > 0 ? changeSinceYesterday(batch, { row, v, now: level / levelWeight }) : 0,
  }
}

function changeSinceYesterday(
  batch: WindowBatch,
  { row, v, now }: { readonly row: number; readonly v: number; readonly now: number },
): number {
  let sum = 0
  let known = 0
  for (let t = 0; t < sameTimeSteps; t++) {
    const k = (row * T + t) * V + v
    if (batch.pastKnown[k] === 0) continue
    sum += batch.past[2 * k]!
    known++
  }
  return known > 0 ? now - sum / known : 0
}

/** The baseline `f` steps after the next, by the best form that the known days allow. */
export function baselineAhead(
  batch: WindowBatch,
  { row, v, level, f }: { row: number; v: number; level: Level; f: number },
): number {
  const k = (row * F + f) * V + v
  if (batch.seasonalKnown[k] === 0) return meanPlusLevel(level, f + 1)
  if (level.usual) return usualPlusLevel(level, usualAhead(batch, k), f + 1)
  return batch.seasonal[k]! + level.sinceYesterday * firstDayDecay ** (f + 1)
}

/** The baseline `steps` steps ahead (1 is the next) of a server whose usual value then is `usual`. */
export function usualPlusLevel(level: Level, usual: number, steps: number): number {
  const { deviation, dayDeviation, usualMean } = level
  const lasting = dayShare * dayDeviation
  const lift = usualMean > 0 ? Math.min(maxLift, usual / usualMean) : 1
  return usual + (deviation - lasting) * fastDecay ** steps + lasting * lift * slowDecay ** steps
}

/** The same where no earlier day is known: the level now, fading into the mean of the window. */
export const meanPlusLevel = ({ mean, offset }: Level, steps: number): number =>
  mean + offset * fastDecay ** steps

/** What is usual `f` steps ahead: the mean of the last seven days with a little more of yesterday. */
export function usualAhead(batch: WindowBatch, k: number): number {
  const usual = batch.seasonal[k]!
  return batch.yesterdayKnown[k]! > 0
    ? usual + yesterdayShare * (batch.yesterday[k]! - usual)
    : usual
}

/**
 * Writes the baseline "7-day mean + level" of row `row`: what is usual at that time of day, plus how far the server
 * is from its usual now, fading out. Where no such day is known its short-history form. A metric that was never
 * measured gets 0; its forecast is not used.
 */
export function fillBaseline(batch: WindowBatch, row: number): void {
  for (let v = 0; v < V; v++) {
    const level = levelOf(batch, row, v)
    for (let f = 0; f < F; f++) {
      const value = baselineAhead(batch, { row, v, level, f })
      batch.baseline[(row * F + f) * V + v] = Math.max(0, value)
    }
  }
}
