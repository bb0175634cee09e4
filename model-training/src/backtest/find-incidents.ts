import { isPast } from '@harbinger/shared/limits'
import { type MetricName, metricIndex } from '@harbinger/shared/metrics'
import { minuteCell, minuteMs, type Series } from '@harbinger/shared/window/series'

export type Incident = {
  readonly start: number
  /** The last reading past the limit. */
  readonly end: number
  /** None of this metric began on this server in the seven days before. */
  readonly novel: boolean
}

/** An incident is over after so many minutes on the good side. */
export const closeMinutes = 60
const shortestMinutes = 15
const weekMs = 7 * 24 * 60 * minuteMs

export type Beyond = {
  readonly metric: MetricName
  readonly limit: number
  readonly intervalMinutes: number
}

/** Past the limit for at least 15 minutes; over after 60 minutes on the good side. */
export function incidentsOf(
  series: Series,
  { metric, limit, intervalMinutes }: Beyond,
): readonly Incident[] {
  const c = metricIndex[metric]
  const found: Incident[] = []
  let start = -1
  let last = -1
  const close = (): void => {
    if (start >= 0 && last - start + intervalMinutes >= shortestMinutes) {
      const at = start * minuteMs
      const before = found.at(-1)
      const novel = before === undefined || at - before.start > weekMs
      found.push({ start: at, end: last * minuteMs, novel })
    }
    start = -1
  }
  for (let m = series.firstMinute; m <= series.lastMinute; m++) {
    const cell = minuteCell(series, m)
    if (cell < 0 || series.count[cell + c] === 0) continue
    if (isPast(metric, series.mean[cell + c]!, limit)) {
      if (start < 0) start = m
      last = m
    } else if (start >= 0 && m - last >= closeMinutes) close()
  }
  close()
  return found
}
