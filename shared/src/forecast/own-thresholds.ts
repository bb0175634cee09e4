import { worsens } from '../limits.ts'
import { metricIndex, type MetricName, networkMetricNames } from '../metrics.ts'
import type { Rollup } from '../window/series.ts'
import { quantileOfSorted } from './quantiles.ts'

/** Where a threshold lies among a server's own worst readings of the past. */
export const thresholdLevels = [0.9, 0.95, 0.98] as const
/** How far back is looked, and how often a reading is taken. */
export const thresholdDays = 7
export const thresholdEveryMinutes = 5

/** Sixteen hours: what came in less says little of what is usual. */
const fewestReadings = 200

/**
 * Thresholds that a server reaches now and then, one per level: quantiles of its own worst readings of a week (the
 * highest of a minute; of what worsens downwards the mean). Critical limits are reached too rarely to tell whether a
 * chance of 40 % comes true; these show it. None of a metric that hardly moves: it is at any such threshold all the
 * time, which shows nothing.
 */
export function ownThresholds(metric: MetricName, readings: readonly number[]): readonly number[] {
  if (readings.length < fewestReadings) return []
  const sorted = Float64Array.from(readings).sort()
  if (quantileOfSorted(sorted, 0.02) === quantileOfSorted(sorted, 0.98)) return []
  const down = worsens(metric) === 'down'
  return thresholdLevels.map((level) => quantileOfSorted(sorted, down ? 1 - level : level))
}

/** Per network metric: see ownThresholds(). */
export type Thresholds = readonly (readonly number[])[]

/** Gathers the minutes of a server, in any order, for the thresholds of its metrics. */
export function gatherThresholds() {
  const readings = networkMetricNames.map(() => [] as number[])
  return {
    /** One minute, of which the metrics begin at `cell`. */
    add({ mean, max, count }: Rollup, cell = 0): void {
      for (const [v, name] of networkMetricNames.entries()) {
        const c = cell + metricIndex[name]
        if (count[c]! > 0) readings[v]!.push(worsens(name) === 'down' ? mean[c]! : max[c]!)
      }
    },
    thresholds: (): Thresholds =>
      networkMetricNames.map((name, v) => ownThresholds(name, readings[v]!)),
  }
}
