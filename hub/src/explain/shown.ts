import { medianIndex, peakMinutes, Q, quantileLevels } from '@harbinger/shared/forecast/quantiles'
import { type MetricName, metrics } from '@harbinger/shared/metrics'
import { horizonSteps } from '@harbinger/shared/window/window-batch'
import type { MetricForecast } from '../forecast/server-forecast.ts'

/** How a metric is told to a person: idle as CPU used, numbers with their unit. */

const isIdle = (metric: MetricName): boolean => metric === 'cpu_idle_pct'

export const label = (metric: MetricName): string =>
  isIdle(metric) ? 'CPU used' : metrics[metric].label

export const toShown = (metric: MetricName, value: number): number =>
  isIdle(metric) ? 100 - value : value

/** 83.2 %, 4.1 MB/s, 120 sockets, 2.4. */
export function amount(value: number, metric: MetricName): string {
  const { unit } = metrics[metric]
  const number = String(Number(value.toFixed(unit === 'sockets' ? 0 : 1)))
  return unit === 'load' ? number : `${number} ${unit}`
}

/** A distance between two values: percentages differ by points. */
export function distanceText(value: number, metric: MetricName): string {
  const { unit } = metrics[metric]
  const rounded = value >= 1 ? value.toFixed(1) : value.toPrecision(2)
  return unit === '%' ? `${Number(rounded)} points` : amountOf(Number(rounded), unit)
}
const amountOf = (value: number, unit: string): string =>
  unit === 'load' ? String(value) : `${value} ${unit}`

const p10 = quantileLevels.indexOf(0.1)
const p90 = quantileLevels.indexOf(0.9)

/**
 * The highest value of the next 8 h as shown: even odds, and the one exceeded once in ten. Of CPU used it is the
 * highest 15-minute mean, because the network's peaks are of idle and not of what is used.
 */
export function peakOf(metric: MetricName, { quantiles, peaks }: MetricForecast) {
  if (!isIdle(metric)) {
    const at = (peakMinutes.length - 1) * Q
    return { likely: peaks[at + medianIndex]!, pessimistic: peaks[at + p90]! }
  }
  const lowest = (level: number) => Math.min(...path(quantiles, level))
  return { likely: 100 - lowest(medianIndex), pessimistic: 100 - lowest(p10) }
}

const path = (quantiles: Float32Array, level: number): number[] =>
  Array.from({ length: horizonSteps }, (_, step) => quantiles[step * Q + level]!)

/** Mean distance of two median forecasts over the 8 h, in the metric's unit. */
export function meanShift(a: MetricForecast, b: MetricForecast): number {
  let sum = 0
  for (let step = 0; step < horizonSteps; step++) {
    const at = step * Q + medianIndex
    sum += Math.abs(a.quantiles[at]! - b.quantiles[at]!)
  }
  return sum / horizonSteps
}

/** Mean width of the band from p10 to p90, in the metric's unit. */
export function meanBand({ quantiles }: MetricForecast): number {
  let sum = 0
  for (let step = 0; step < horizonSteps; step++) {
    sum += quantiles[step * Q + p90]! - quantiles[step * Q + p10]!
  }
  return sum / horizonSteps
}
