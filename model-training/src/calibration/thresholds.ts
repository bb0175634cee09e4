import { quantileOfSorted } from '@harbinger/shared/forecast/quantiles'
import { worsens } from '@harbinger/shared/limits'
import { metricIndex, networkMetricNames } from '@harbinger/shared/metrics'
import { minuteCell, minuteMs } from '@harbinger/shared/window/series'
import type { FleetHistory } from '../history/fleet-history.ts'

/** Where a threshold lies among a server's own worst readings of the past. */
const levels = [0.9, 0.95, 0.98]
const dayMinutes = 24 * 60
/** A metric that hardly moves is at any such threshold all the time, which shows nothing. */
const fewestReadings = 200

/**
 * Thresholds that every server reaches now and then, [server][metric][level]: quantiles of its own readings within the
 * week before `at`. Critical limits are reached too rarely to tell whether a chance of 40 % comes true.
 */
export function ownThresholds(history: FleetHistory, at: number): readonly (readonly number[])[][] {
  const end = Math.floor(at / minuteMs)
  return history.servers.map(({ series }) =>
    networkMetricNames.map((name) => {
      const down = worsens(name) === 'down'
      const readings: number[] = []
      for (let minute = end - 7 * dayMinutes; minute < end; minute += 5) {
        const cell = minuteCell(series, minute)
        if (cell < 0) continue
        const c = cell + metricIndex[name]
        if (series.count[c] === 0) continue
        readings.push(down ? series.mean[c]! : series.max[c]!)
      }
      if (readings.length < fewestReadings) return []
      const sorted = Float64Array.from(readings).sort()
      if (quantileOfSorted(sorted, 0.02) === quantileOfSorted(sorted, 0.98)) return []
      return levels.map((level) => quantileOfSorted(sorted, down ? 1 - level : level))
    }),
  )
}
