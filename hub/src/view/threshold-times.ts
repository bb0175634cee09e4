import type { ServerSummary, TimeToThreshold } from '@harbinger/shared/api'
import { type MetricName, metricNames, type Readings } from '@harbinger/shared/metrics'
import { minuteMs } from '@harbinger/shared/window/series'
import { horizonSteps, stepMinutes } from '@harbinger/shared/window/window-batch'
import type { ServerForecast } from '../forecast/server-forecast.ts'

export type TimesToThreshold = { readonly [name in MetricName]?: TimeToThreshold }

/** What is known of where a server is heading. */
export type Outlook = {
  readonly now: number
  /** The newest readings and when they were taken. */
  readonly latest: { readonly at: number; readonly readings: Readings } | undefined
  readonly forecast: ServerForecast | undefined
  /** Minutes count from the end of the forecast's window; of idle the threshold is a floor. */
  readonly timeToThreshold: TimesToThreshold
}

/** The times counted from `now` instead of from the end of the forecast's window. */
export function fromNow({
  now,
  forecast,
  timeToThreshold,
}: Pick<Outlook, 'now' | 'forecast' | 'timeToThreshold'>): TimesToThreshold {
  const age = forecast ? Math.max(0, Math.floor((now - forecast.windowEnd) / minuteMs)) : 0
  const left = (minutes: number | null) => (minutes === null ? null : Math.max(0, minutes - age))
  const times: { [name in MetricName]?: TimeToThreshold } = {}
  for (const name of metricNames) {
    const time = timeToThreshold[name]
    if (!time) continue
    times[name] = {
      ...time,
      earliestMinutes: left(time.earliestMinutes),
      medianMinutes: left(time.medianMinutes),
    }
  }
  return times
}

/** The metric expected at its threshold first; null when none is expected there at all. */
export function mostPressing(times: TimesToThreshold): ServerSummary['timeToThreshold'] {
  let first: ServerSummary['timeToThreshold'] = null
  for (const metric of metricNames) {
    const time = times[metric]
    if (!time || !isExpected(time)) continue
    if (!first || isSooner(time, first)) first = { metric, ...time }
  }
  return first
}

/** Within 8 h a chance of 10 % is worth a word; days ahead it has to be more likely than not. */
export const isExpected = ({ earliestMinutes, medianMinutes }: TimeToThreshold): boolean =>
  medianMinutes !== null ||
  (earliestMinutes !== null && earliestMinutes <= horizonSteps * stepMinutes)

export function isSooner(a: TimeToThreshold, b: TimeToThreshold): boolean {
  const byMedian = (a.medianMinutes ?? Infinity) - (b.medianMinutes ?? Infinity)
  if (byMedian) return byMedian < 0
  const byEarliest = (a.earliestMinutes ?? Infinity) - (b.earliestMinutes ?? Infinity)
  return byEarliest ? byEarliest < 0 : a.probability > b.probability
}
