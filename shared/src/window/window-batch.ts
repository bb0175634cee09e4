import { networkMetricNames } from '../metrics.ts'
import { calendarWidth } from './calendar.ts'

/** The grid of the model: 24 h of history and 8 h of forecast in steps of 15 minutes, the last step ending now. */
export const stepMinutes = 15
export const historySteps = 96
export const horizonSteps = 32
export const seasonalDays = 7
export const recentWidth = 4
export const staticWidth = 6
/** Metrics of the network, the V of every shape below. */
export const V = networkMetricNames.length

/**
 * Windows of `size` servers, row by row, as the network takes them (raw units; 0 where unknown, with a share known
 * beside it). T = 96 history steps, F = 32 forecast steps, V = 12 metrics.
 */
export type WindowBatch = {
  readonly size: number
  /** [size, T, V, 2]: mean and worst reading of each step: the highest, of idle the lowest minute */
  readonly past: Float32Array
  /** [size, T, V]: share of the step that was measured */
  readonly pastKnown: Float32Array
  /** [size, T, V]: mean of the same time on the 7 days before each past step, and the share of those days known */
  readonly seasonalPast: Float32Array
  readonly seasonalPastKnown: Float32Array
  /** [size, F, V]: the same for the steps to come */
  readonly seasonal: Float32Array
  readonly seasonalKnown: Float32Array
  /** [size, F, V]: 24 h before each step to come */
  readonly yesterday: Float32Array
  readonly yesterdayKnown: Float32Array
  /** [size, F, V]: the 7-day mean + level baseline, or its short-history form */
  readonly baseline: Float32Array
  /** [size, V, 4]: mean of the last 5 minutes, slope per hour over the last hour, worst reading of the last hour, known */
  readonly recent: Float32Array
  /** [size, T, 5] and [size, F, 5] */
  readonly calendarPast: Float32Array
  readonly calendarFuture: Float32Array
  /** [size, 6]: ln cores, known, ln memory GiB, known, ln(1 + minutes silent), ln(1 + hours of history) */
  readonly statics: Float32Array
  /** [size]: 0 is unknown */
  readonly profile: BigInt64Array
}

/** Elements per row of each tensor. */
export const windowWidths = {
  past: historySteps * V * 2,
  pastKnown: historySteps * V,
  seasonalPast: historySteps * V,
  seasonalPastKnown: historySteps * V,
  seasonal: horizonSteps * V,
  seasonalKnown: horizonSteps * V,
  yesterday: horizonSteps * V,
  yesterdayKnown: horizonSteps * V,
  baseline: horizonSteps * V,
  recent: V * recentWidth,
  calendarPast: historySteps * calendarWidth,
  calendarFuture: horizonSteps * calendarWidth,
  statics: staticWidth,
} as const

/** Each tensor's dimensions after the batch. */
export const windowShapes = {
  past: [historySteps, V, 2],
  pastKnown: [historySteps, V],
  seasonalPast: [historySteps, V],
  seasonalPastKnown: [historySteps, V],
  seasonal: [horizonSteps, V],
  seasonalKnown: [horizonSteps, V],
  yesterday: [horizonSteps, V],
  yesterdayKnown: [horizonSteps, V],
  baseline: [horizonSteps, V],
  recent: [V, recentWidth],
  calendarPast: [historySteps, calendarWidth],
  calendarFuture: [horizonSteps, calendarWidth],
  statics: [staticWidth],
} as const satisfies { readonly [name in keyof typeof windowWidths]: readonly number[] }

export function windowBatch(size: number): WindowBatch {
  const tensors = Object.fromEntries(
    Object.entries(windowWidths).map(([name, width]) => [name, new Float32Array(size * width)]),
  ) as { [name in keyof typeof windowWidths]: Float32Array }
  return { size, ...tensors, profile: new BigInt64Array(size) }
}
