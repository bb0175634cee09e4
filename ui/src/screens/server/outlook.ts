import type { Forecast } from '@harbinger/shared/api'
import { type ShownMetric, toShown } from '../../words/shown-metrics.ts'

/** What one metric is expected to do, as it is drawn: the middle of each step and its bands. */
export type Outlook = {
  readonly source: string
  readonly sourceReason: string
  readonly issuedAt: number
  readonly windowEnd: number
  readonly stepMinutes: number
  readonly horizonMinutes: number
  readonly low96: readonly number[]
  readonly low80: readonly number[]
  readonly median: readonly number[]
  readonly high80: readonly number[]
  readonly high96: readonly number[]
}

export function toOutlook(forecast: Forecast, shown: ShownMetric): Outlook | undefined {
  const metric = forecast.metrics[shown.metric]
  if (!metric) return undefined
  // Quantile q of what is used is 100 − quantile 1 − q of idle.
  const level = (q: number): number[] => {
    const wanted = shown.inverted ? 1 - q : q
    const key = Object.keys(metric.quantiles).find((one) => Math.abs(Number(one) - wanted) < 1e-6)
    return (key === undefined ? [] : metric.quantiles[key]!).map((value) => toShown(shown, value))
  }
  const median = level(0.5)
  if (median.length === 0) return undefined
  return {
    source: metric.source,
    sourceReason: metric.sourceReason,
    issuedAt: Date.parse(forecast.issuedAt),
    windowEnd: Date.parse(forecast.windowEnd),
    stepMinutes: forecast.stepMinutes,
    horizonMinutes: forecast.horizonMinutes,
    low96: level(0.02),
    low80: level(0.1),
    median,
    high80: level(0.9),
    high96: level(0.98),
  }
}

/** The step that covers `minutes` after the end of the window; the last one at the horizon itself. */
export const stepAt = (outlook: Outlook, minutes: number): number =>
  Math.min(Math.floor(minutes / outlook.stepMinutes), outlook.median.length - 1)
