import type { MetricName } from '@harbinger/shared/metrics'
import type { Curve } from '@harbinger/shared/forecast/chance'
import { Q, quantileLevels } from '@harbinger/shared/forecast/quantiles'
import type { PredictedPeaks } from './assess-risk.ts'

/** Quantiles of one metric: [32 steps][7 levels] and the peaks within 60, 240 and 480 minutes: [3][7]. */
export type MetricQuantiles = {
  readonly quantiles: ArrayLike<number>
  readonly peaks: ArrayLike<number>
  /** How often a chance read off the peaks really came: see translate(). */
  readonly chances?: Curve
}

export type ServerQuantiles = { readonly [name in MetricName]?: MetricQuantiles }

/** The steps of 15 minutes that make the next 30. */
export const nextHalfHourSteps = 2

const p10 = quantileLevels.indexOf(0.1)
const p90 = quantileLevels.indexOf(0.9)

/** The pessimist's next 30 minutes, read off a forecast; undefined when it says nothing of any metric. */
export function predictedPeaks(forecast: ServerQuantiles): PredictedPeaks | undefined {
  const highest = (metric: MetricName): { [name in MetricName]?: number } => {
    const of = forecast[metric]
    return of ? { [metric]: Math.max(...steps(of, p90)) } : {}
  }
  const idle = forecast.cpu_idle_pct
  const peaks: PredictedPeaks = {
    ...(idle ? { cpuUsed: 100 - Math.min(...steps(idle, p10)) } : {}),
    ...highest('mem_used_pct'),
    ...highest('cpu_iowait_pct'),
    ...highest('load_average'),
    ...highest('back_close_wait'),
    ...highest('front_close_wait'),
    ...highest('disk_usage_pct'),
  }
  return Object.keys(peaks).length > 0 ? peaks : undefined
}

const steps = ({ quantiles }: MetricQuantiles, level: number): number[] =>
  Array.from({ length: nextHalfHourSteps }, (_, step) => quantiles[step * Q + level]!)
