import type { Curve } from '@harbinger/shared/forecast/chance'
import type { DaysAhead } from '@harbinger/shared/forecast/slow/slow-forecast'
import type { MetricName } from '@harbinger/shared/metrics'

/** What is forecast of one metric of one server: 32 steps and 3 peaks, 7 quantiles each, in the metric's unit. */
export type MetricForecast = {
  /** `model:<id>` or `baseline:<name>`: who really made these numbers. */
  readonly source: string
  readonly sourceReason: string
  /** [32 steps][7 quantiles] */
  readonly quantiles: Float32Array
  /** [60, 240, 480 minutes][7 quantiles] of the highest value within */
  readonly peaks: Float32Array
  /** How often a chance read off the peaks really came; undefined where nothing was learnt yet. See translate(). */
  readonly chances?: Curve
  /** Only of metrics that are slow enough to be told by the day. */
  readonly daysAhead?: DaysAhead
}

/** The forecast of one server, as it is computed, kept and shown. */
export type ServerForecast = {
  readonly server: string
  readonly issuedAt: number
  /** Step i covers windowEnd + i × 15 minutes to the next. */
  readonly windowEnd: number
  /** Why there is none; then `metrics` is empty. */
  readonly abstained: string | null
  readonly metrics: { readonly [name in MetricName]?: MetricForecast }
}
