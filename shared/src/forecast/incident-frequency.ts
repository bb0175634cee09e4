import { isPast } from '../limits.ts'
import { metricNames } from '../metrics.ts'
import { minutesPerQuarter, minuteMs, quarterCell, type Series } from '../window/series.ts'

/** Days that are looked back on. */
const days = 7
const dayMinutes = 24 * 60

export type IncidentWindow = {
  readonly series: Series
  /** Place of the metric among the 14 (metricIndex). */
  readonly metric: number
  /** Beyond it the server is in trouble, in the metric's unit. */
  readonly limit: number
  /** The instant (ms) at which the window asked about begins. */
  readonly now: number
  /** Length of the window, at most a day. */
  readonly horizonMinutes: number
}

/**
 * The baseline of incidents: on what share (0 … 1) of the last 7 days there was one in this window of the day. A day
 * had one when a quarter hour of the window was past the limit on its mean, which is what the hub still has of days
 * past. A day of which less than half the window was measured is not known and does not count; undefined when none is.
 */
export function incidentFrequency(window: IncidentWindow): number | undefined {
  let known = 0
  let had = 0
  for (let day = 1; day <= days; day++) {
    const found = hadIncident(window, day)
    if (found === undefined) continue
    known++
    if (found) had++
  }
  return known > 0 ? had / known : undefined
}

/** Undefined when too little of that day was measured. */
function hadIncident(window: IncidentWindow, day: number): boolean | undefined {
  const { series, metric, limit, now, horizonMinutes } = window
  const start = Math.floor(now / minuteMs) - day * dayMinutes
  const first = Math.floor(start / minutesPerQuarter)
  const end = Math.ceil((start + horizonMinutes) / minutesPerQuarter)
  let measured = 0
  let beyond = false
  for (let quarter = first; quarter < end; quarter++) {
    // History may be hidden before the first minute, as for a server that is new.
    if ((quarter + 1) * minutesPerQuarter <= series.firstMinute) continue
    const cell = quarterCell(series, quarter)
    if (cell < 0 || series.quarterKnown[cell + metric] === 0) continue
    measured++
    if (isPast(metricNames[metric]!, series.quarterMean[cell + metric]!, limit)) beyond = true
  }
  if (beyond) return true
  return 2 * measured >= end - first ? false : undefined
}
