import { horizonSteps, stepMinutes } from '@harbinger/shared/window/window-batch'
import { minuteMs } from '@harbinger/shared/window/series'

const stepMs = stepMinutes * minuteMs

/**
 * Which step of a forecast holds the instant `at`: step i covers windowEnd + i × 15 min to the next. Undefined when
 * the forecast does not reach it, so that an old forecast never answers for a time it knows nothing of.
 */
export function stepAt(windowEnd: number, at: number): number | undefined {
  const step = Math.floor((at - windowEnd) / stepMs)
  return step >= 0 && step < horizonSteps ? step : undefined
}

/** When a step begins, in minutes from `now`; not before 0. */
export const minutesToStep = (windowEnd: number, step: number, now: number): number =>
  Math.max(0, Math.round((windowEnd + step * stepMs - now) / minuteMs))
