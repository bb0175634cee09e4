import { breachChance } from '@harbinger/shared/forecast/chance'
import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import type { MetricQuantiles } from './predicted-peaks.ts'

const stepMinutes = 15
/** A chance of one in ten makes the earliest time, an even one the median. */
const earliestChance = 0.1
const medianChance = 0.5
/** Quantiles are float32: one in ten is met when it is met to so many digits. */
const rounding = 1e-6

export type TimeToThreshold = {
  readonly threshold: number
  /** Chance of reaching it within the longest horizon (8 h); 0 means less than the forecast can tell apart (2 %). */
  readonly probability: number
  /** From now to the start of the step by whose end one in ten has reached it; null: not within the horizon. */
  readonly earliestMinutes: number | null
  /** By then it is more likely than not to be reached; null: not within the horizon. */
  readonly medianMinutes: number | null
}

/**
 * When a metric reaches `threshold`, as a distribution: a chance, the earliest and the even-odds time. `worsens`
 * 'down' is for idle, which is bad when it is low.
 */
export function timeToThreshold(
  forecast: MetricQuantiles,
  { threshold, worsens = 'up' }: { readonly threshold: number; readonly worsens?: 'up' | 'down' },
): TimeToThreshold {
  const reached = reachedBy(forecast, { threshold, worsens })
  const firstStep = (chance: number): number => reached.findIndex((by) => by >= chance - rounding)
  const earliest = firstStep(earliestChance)
  const median = firstStep(medianChance)
  return {
    threshold,
    probability: reached.at(-1) ?? 0,
    earliestMinutes: earliest < 0 ? null : earliest * stepMinutes,
    medianMinutes: median < 0 ? null : (median + 1) * stepMinutes,
  }
}

/**
 * The chance that it is reached by the end of each step; it never falls. After 1, 4 and 8 hours it is what the peaks
 * say, which are made for that; in between it rises where the chances of single steps do.
 */
function reachedBy(
  { quantiles, peaks, chances }: MetricQuantiles,
  at: { readonly threshold: number; readonly worsens: 'up' | 'down' },
): number[] {
  const steps = Math.floor(quantiles.length / Q)
  const reached: number[] = []
  let highest = 0
  const bySteps = Array.from({ length: steps }, (_, step) => {
    highest = Math.max(highest, breachChance(quantiles, { ...at, offset: step * Q }))
    return highest
  })
  peakMinutes.forEach((minutes, p) => {
    const from = reached.length
    const to = Math.min(steps, minutes / stepMinutes)
    const before = reached.at(-1) ?? 0
    const after = Math.max(before, breachChance(peaks, { ...at, offset: p * Q, curve: chances }))
    const low = bySteps[from - 1] ?? 0
    const rise = (bySteps[to - 1] ?? 0) - low
    for (let step = from; step < to; step++) {
      const share = rise > 0 ? (bySteps[step]! - low) / rise : (step + 1 - from) / (to - from)
      reached.push(before + share * (after - before))
    }
  })
  return reached
}
