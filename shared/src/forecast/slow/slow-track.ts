import { type MetricName, metricIndex } from '../../metrics.ts'
import {
  minuteCell,
  minuteMs,
  minutesPerQuarter,
  quarterCell,
  type Series,
} from '../../window/series.ts'

/** So far back a slow metric is read, as far as the series reaches: a live hub's keeps 8 days and 8 hours. */
export const trackDays = 14

/** What one metric did lately, a point per quarter of an hour that was measured, oldest first. */
export type Track = {
  /** Hours since the epoch of the middle of what was measured. */
  readonly hours: Float64Array
  readonly values: Float64Array
}

export const quarterHours = minutesPerQuarter / 60
export const hoursOf = (at: number): number => at / (60 * minuteMs)

/** Reads a metric up to `now` (ms, exclusive): closed quarters where they are kept, else their minutes. */
export function slowTrack(series: Series, metric: MetricName, now: number): Track {
  const column = metricIndex[metric]
  const end = Math.floor(now / minuteMs)
  // Readings every 5 minutes stand at minutes 0, 5 and 10: their middle is before the quarter's.
  const middle = (minutesPerQuarter - Math.min(minutesPerQuarter, series.intervalMinutes) + 1) / 2
  const lastQuarter = Math.floor((end - 1) / minutesPerQuarter)
  const firstQuarter = Math.max(
    lastQuarter - trackDays * 96 + 1,
    Math.floor(Math.max(0, series.firstMinute) / minutesPerQuarter),
  )
  const hours: number[] = []
  const values: number[] = []
  for (let quarter = firstQuarter; quarter <= lastQuarter; quarter++) {
    const begin = quarter * minutesPerQuarter
    const from = Math.max(begin, series.firstMinute)
    const until = Math.min(begin + minutesPerQuarter, end)
    // Only a quarter that lies whole between the two ends is what its cell says: the others hold more than was known.
    const isWhole = from === begin && until === begin + minutesPerQuarter
    const cell = isWhole ? quarterCell(series, quarter) : -1
    if (cell >= 0 && series.quarterKnown[cell + column]! > 0) {
      hours.push((begin + middle) / 60)
      values.push(series.quarterMean[cell + column]!)
      continue
    }
    let sum = 0
    let when = 0
    let known = 0
    for (let m = from; m < until; m++) {
      const at = minuteCell(series, m)
      if (at < 0 || series.count[at + column] === 0) continue
      sum += series.mean[at + column]!
      when += m + 0.5
      known++
    }
    if (known === 0) continue
    hours.push(when / known / 60)
    values.push(sum / known)
  }
  return { hours: Float64Array.from(hours), values: Float64Array.from(values) }
}

/** The newest reading of a metric at most a day before `now`, and when it was taken (hours since the epoch). */
export function newestReading(
  series: Series,
  metric: MetricName,
  now: number,
): { readonly value: number; readonly hour: number } | undefined {
  const column = metricIndex[metric]
  const end = Math.floor(now / minuteMs)
  for (let m = end - 1; m >= Math.max(end - 24 * 60, series.firstMinute); m--) {
    const cell = minuteCell(series, m)
    if (cell < 0 || series.count[cell + column] === 0) continue
    return { value: series.mean[cell + column]!, hour: (m + 0.5) / 60 }
  }
  return undefined
}
