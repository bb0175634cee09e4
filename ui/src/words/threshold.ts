import type { ServerSummary, TimeToThreshold } from '@harbinger/shared/api'
import { chance, reading, span } from './numbers.ts'
import { limitOf, nowOf, shownAs, type ShownMetric } from './shown-metrics.ts'

export type Outcome = {
  /** What is shown now, or null where it is not known. */
  readonly now: number | null
  readonly horizonMinutes: number
}

/** When a limit is reached, as a sentence: the middle, the chance and the earliest time. */
export function thresholdSentence(
  shown: ShownMetric,
  { threshold, probability, earliestMinutes, medianMinutes, withinMinutes }: TimeToThreshold,
  { now, horizonMinutes }: Outcome,
): string {
  const value = limitOf(shown, threshold)
  const limit = reading(value, shown.unit)
  // Disk is forecast days ahead.
  const within = span(withinMinutes ?? horizonMinutes)
  const likely = `${chance(probability)} likely within ${within}`
  if (now !== null && now >= value) return `At or over its limit, ${limit}.`
  if (medianMinutes !== null) {
    const earliest =
      earliestMinutes !== null && earliestMinutes < medianMinutes
        ? `, earliest ${earliestIn(earliestMinutes)}`
        : ''
    return `Reaches ${limit} ${inSpan(medianMinutes)}: ${likely}${earliest}.`
  }
  if (earliestMinutes !== null)
    return `May reach ${limit}: ${likely}, earliest ${earliestIn(earliestMinutes)}.`
  return `Limit ${limit}: not within ${within} (${chance(probability)} likely).`
}

/** Whether the limit that is first in time is reached already: then it is a fact and no forecast. */
export function isOverLimit(row: ServerSummary): boolean {
  const next = row.timeToThreshold
  if (next === null) return false
  const shown = shownAs(next.metric)
  return (nowOf(shown, row) ?? -Infinity) >= limitOf(shown, next.threshold)
}

/** The same with its minutes counted from now instead of from `since`, the end of the forecast's window. */
export function countedFromNow(
  time: TimeToThreshold,
  { since, now }: { readonly since: number; readonly now: number },
): TimeToThreshold {
  const age = Math.max(0, Math.floor((now - since) / 60_000))
  const left = (minutes: number | null) => (minutes === null ? null : Math.max(0, minutes - age))
  return {
    ...time,
    earliestMinutes: left(time.earliestMinutes),
    medianMinutes: left(time.medianMinutes),
  }
}

/** When a limit is reached, in a few words: "in 2 h", "perhaps in 3 days", "not within 14 days". */
export function whenReached(
  { medianMinutes, earliestMinutes, withinMinutes }: TimeToThreshold,
  { horizonMinutes }: Pick<Outcome, 'horizonMinutes'>,
): string {
  if (medianMinutes !== null) return inSpan(medianMinutes)
  if (earliestMinutes !== null) return `perhaps ${inSpan(earliestMinutes)}`
  return `not within ${span(withinMinutes ?? horizonMinutes)}`
}

/** A forecast has steps of 15 min; what happens in the first is not known more exactly. */
const inSpan = (minutes: number): string => (minutes < 15 ? 'within 15 min' : `in ${span(minutes)}`)

const earliestIn = (minutes: number): string => (minutes < 1 ? 'now' : `in ${span(minutes)}`)

/** From here on (Danger) a server is in trouble now, whatever its forecast expects. */
const troubleNow = 70

export const isInTrouble = (row: ServerSummary): boolean =>
  isOverLimit(row) || (row.riskNow ?? 0) >= troubleNow

/**
 * The sooner it breaks, the higher it stands: in trouble now, then by the median time, then by the earliest, then by
 * risk.
 */
export function byTimeToBreak(a: ServerSummary, b: ServerSummary): number {
  const when = (row: ServerSummary) =>
    isInTrouble(row) ? 0 : (row.timeToThreshold?.medianMinutes ?? Infinity)
  const earliest = (row: ServerSummary) =>
    isInTrouble(row) ? 0 : (row.timeToThreshold?.earliestMinutes ?? Infinity)
  const less = (x: number, y: number) => (x === y ? 0 : x < y ? -1 : 1)
  return (
    less(when(a), when(b)) ||
    less(earliest(a), earliest(b)) ||
    less(b.risk ?? -1, a.risk ?? -1) ||
    a.name.localeCompare(b.name)
  )
}
