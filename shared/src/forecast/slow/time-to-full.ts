import { horizonSteps, stepMinutes } from '../../window/window-batch.ts'
import { exceedance, medianIndex, Q, quantileLevels } from '../quantiles.ts'
import type { SlowForecast } from './slow-forecast.ts'

/** When a slow metric reaches a value, as a distribution. */
export type TimeToFull = {
  readonly threshold: number
  /** The distribution ends here; what lies beyond is not told. */
  readonly withinMinutes: number
  /** Chance of reaching it by then; 0 is less than the forecast can tell apart (2 %). */
  readonly probability: number
  /** From then on it may be reached (10 %), and by then it is more likely reached than not; null: not within. */
  readonly earliestMinutes: number | null
  readonly medianMinutes: number | null
}

const p90 = quantileLevels.indexOf(0.9)

/** Read off the steps of the next 8 hours, then off the days; `threshold` 100 is full. */
export function timeToFull(
  { quantiles, daysAhead }: Pick<SlowForecast, 'quantiles' | 'daysAhead'>,
  threshold: number,
): TimeToFull {
  const stepsEnd = horizonSteps * stepMinutes
  const points = [
    ...Array.from({ length: horizonSteps }, (_, f) => ({
      of: quantiles,
      place: f,
      at: (f + 0.5) * stepMinutes,
    })),
    ...daysAhead.hours.map((hours, place) => ({
      of: daysAhead.quantiles,
      place,
      at: 60 * hours,
    })),
  ]
  let reached = 0
  for (const { of, place } of points) {
    const top = of[place * Q + Q - 1]!
    if (threshold <= top) reached = Math.max(reached, exceedance(of, threshold, place * Q))
  }
  /** When quantile q crosses, between two points by a straight line. */
  const crossing = (q: number): number | null => {
    let before: { readonly at: number; readonly value: number } | undefined
    for (const { of, place, at } of points) {
      const value = of[place * Q + q]!
      if (value >= threshold) {
        if (!before) return 0
        const share = (threshold - before.value) / (value - before.value)
        return Math.round(before.at + share * (at - before.at))
      }
      before = { at, value }
    }
    return null
  }
  return {
    threshold,
    withinMinutes: 60 * (daysAhead.hours.at(-1) ?? stepsEnd / 60),
    probability: reached,
    earliestMinutes: crossing(p90),
    medianMinutes: crossing(medianIndex),
  }
}
