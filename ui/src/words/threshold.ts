import type { ServerSummary, TimeToThreshold } from '@harbinger/shared/api'
import { chance, reading, span } from './numbers.ts'
import { limitOf, type ShownMetric } from './shown-metrics.ts'

/** When a limit is reached, as a sentence: the chance, the middle and the earliest time. */
export function thresholdSentence(
  shown: ShownMetric,
  { threshold, probability, earliestMinutes, medianMinutes }: TimeToThreshold,
  horizonMinutes: number,
): string {
  const limit = reading(limitOf(shown, threshold), shown.unit)
  const horizon = span(horizonMinutes)
  const within = `${chance(probability)} likely within ${horizon}`
  if (medianMinutes !== null && medianMinutes <= 0)
    return `At ${limit} now or any minute: ${within}.`
  if (medianMinutes !== null) {
    const earliest =
      earliestMinutes !== null && earliestMinutes < medianMinutes
        ? `, earliest ${inSpan(earliestMinutes)}`
        : ''
    return `${limit} is ${within}, most likely ${inSpan(medianMinutes)}${earliest}.`
  }
  if (earliestMinutes !== null)
    return `${limit} is not expected within ${horizon} but possible: ${chance(probability)}, earliest ${inSpan(earliestMinutes)}.`
  return `${limit}: not within ${horizon} (${chance(probability)}).`
}

export const inSpan = (minutes: number): string => (minutes <= 0 ? 'now' : `in ${span(minutes)}`)

/** The sooner it breaks, the higher it stands: by median, then by the earliest time, then by risk. */
export function byTimeToBreak(a: ServerSummary, b: ServerSummary): number {
  const when = (row: ServerSummary) => row.timeToThreshold?.medianMinutes ?? Infinity
  const earliest = (row: ServerSummary) => row.timeToThreshold?.earliestMinutes ?? Infinity
  const less = (x: number, y: number) => (x === y ? 0 : x < y ? -1 : 1)
  return (
    less(when(a), when(b)) ||
    less(earliest(a), earliest(b)) ||
    less(b.risk ?? -1, a.risk ?? -1) ||
    a.name.localeCompare(b.name)
  )
}
