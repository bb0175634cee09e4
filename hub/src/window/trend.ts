import { type MetricName, metricIndex } from '@harbinger/shared/metrics'
import { minuteCell, minuteOf, type Series } from '@harbinger/shared/window/series'

const ends = 10
const span = 60

/** How fast a metric has been rising over the last hour, per hour; undefined unless both ends were measured. */
export function hourlyRise(series: Series, metric: MetricName, now: number): number | undefined {
  const end = minuteOf(now) + 1
  const mean = (first: number): number | undefined => {
    let sum = 0
    let known = 0
    for (let minute = first; minute < first + ends; minute++) {
      const cell = minuteCell(series, minute)
      if (cell < 0 || series.count[cell + metricIndex[metric]] === 0) continue
      sum += series.mean[cell + metricIndex[metric]]!
      known++
    }
    return known === 0 ? undefined : sum / known
  }
  const before = mean(end - span)
  const after = mean(end - ends)
  return before === undefined || after === undefined
    ? undefined
    : ((after - before) * span) / (span - ends)
}
