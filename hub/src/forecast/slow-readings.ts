import { metricIndex } from '@harbinger/shared/metrics'
import { minuteCell, minuteMs, type Series } from '@harbinger/shared/window/series'
import { historySteps, stepMinutes } from '@harbinger/shared/window/window-batch'

/** What the methods of disk and uptime need of a server: little enough to be sent along with its window. */
export type SlowReadings = {
  /** Mean disk use of each of the last 96 steps of 15 minutes, NaN where it was not measured; the last ends now. */
  readonly disk: Float32Array
  /** Uptime in days at the window's end, NaN when it was not measured. */
  readonly uptimeDays: number
}

const diskColumn = metricIndex.disk_usage_pct
const uptimeColumn = metricIndex.uptime_days
const dayMinutes = 24 * 60

/** Reads them from a series for a window that ends at `windowEnd` (ms). */
export function slowReadings(series: Series, windowEnd: number): SlowReadings {
  const end = Math.floor(windowEnd / minuteMs)
  const disk = new Float32Array(historySteps).fill(NaN)
  for (let step = 0; step < historySteps; step++) {
    const first = end + (step - historySteps) * stepMinutes
    let sum = 0
    let known = 0
    for (let m = first; m < first + stepMinutes; m++) {
      const cell = minuteCell(series, m)
      if (cell < 0 || series.count[cell + diskColumn] === 0) continue
      sum += series.mean[cell + diskColumn]!
      known++
    }
    if (known > 0) disk[step] = sum / known
  }
  return { disk, uptimeDays: uptimeAt(series, end) }
}

/** The newest reading, and the time since. */
function uptimeAt(series: Series, end: number): number {
  for (let m = end - 1; m >= end - dayMinutes; m--) {
    const cell = minuteCell(series, m)
    if (cell < 0 || series.count[cell + uptimeColumn] === 0) continue
    return series.mean[cell + uptimeColumn]! + (end - m - 0.5) / dayMinutes
  }
  return NaN
}
