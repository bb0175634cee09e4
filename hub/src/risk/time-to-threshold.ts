import {
  exceedance,
  medianIndex,
  peakMinutes,
  Q,
  quantileLevels,
} from '@harbinger/shared/forecast/quantiles'
import type { MetricQuantiles } from './predicted-peaks.ts'

const stepMinutes = 15
const p10 = quantileLevels.indexOf(0.1)
const p90 = quantileLevels.indexOf(0.9)

export type TimeToThreshold = {
  readonly threshold: number
  /** Chance of reaching it within the longest horizon (8 h); 0 means less than the forecast can tell apart (2 %). */
  readonly probability: number
  /** From now to the first step whose 90 % quantile reaches it; null: not within the horizon. */
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
  const { quantiles, peaks } = forecast
  const firstStep = (level: number): number => {
    for (let step = 0; (step + 1) * Q <= quantiles.length; step++) {
      const value = quantiles[step * Q + level]!
      if (worsens === 'up' ? value >= threshold : value <= threshold) return step
    }
    return -1
  }
  const earliest = firstStep(worsens === 'up' ? p90 : p10)
  const median = firstStep(medianIndex)
  return {
    threshold,
    probability: breachChance(peaks, {
      threshold,
      worsens,
      offset: (peakMinutes.length - 1) * Q,
    }),
    earliestMinutes: earliest < 0 ? null : earliest * stepMinutes,
    medianMinutes: median < 0 ? null : (median + 1) * stepMinutes,
  }
}

/**
 * The chance that a quantity with these quantiles is at or past `threshold`. Past the outer quantile it is 0, not
 * the 2 % that `exceedance` holds there: summed over a fleet that floor would predict incidents nobody expects.
 */
export function breachChance(
  quantiles: ArrayLike<number>,
  {
    threshold,
    worsens = 'up',
    offset = 0,
  }: { threshold: number; worsens?: 'up' | 'down'; offset?: number },
): number {
  if (worsens === 'down') {
    if (threshold < quantiles[offset]!) return 0
    return 1 - exceedance(quantiles, threshold, offset)
  }
  if (threshold > quantiles[offset + Q - 1]!) return 0
  return exceedance(quantiles, threshold, offset)
}
