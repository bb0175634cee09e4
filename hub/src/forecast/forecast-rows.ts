import { fillBaselineQuantiles, rowQuantiles } from '@harbinger/shared/forecast/baselines'
import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import { type MetricName, metrics, networkMetricNames } from '@harbinger/shared/metrics'
import {
  historySteps,
  horizonSteps,
  V,
  type WindowBatch,
} from '@harbinger/shared/window/window-batch'
import type { MetricForecast, ServerForecast } from './server-forecast.ts'
import { type Numbers, settle } from './settle.ts'
import type { SlowForecasts } from './slow-forecasts.ts'

/** Which metrics a model serves, by its manifest; for the others, why not. */
export type Serving = {
  readonly id: string
  readonly serves: {
    readonly [metric: string]: { readonly model: boolean; readonly reason: string }
  }
}

/** What the network says and which metrics it serves, or why it says nothing. */
export type Network =
  | {
      readonly serving: Serving
      /** [rows][32 steps][12 metrics][7 quantiles] */
      readonly quantiles: Float32Array
      /** [rows][3][12][7] */
      readonly peaks: Float32Array
    }
  | { readonly problem: string }

/** Metrics of which the baseline is to be served instead of the network, each with the reason. */
export type Instead = { readonly [name in MetricName]?: string }

export type RowsToForecast = {
  readonly batch: WindowBatch
  readonly rows: readonly {
    readonly server: string
    readonly slow: SlowForecasts
    readonly instead?: Instead | undefined
  }[]
  readonly windowEnd: number
  readonly issuedAt: number
  readonly network: Network
}

const P = peakMinutes.length
const shortHistory =
  'with less than a day of history: the level of the last half hour, fading into the mean of the window'

/** Forecasts every row; see forecastRow. */
export const forecastRows = (request: RowsToForecast): ServerForecast[] =>
  request.rows.map((_, row) => forecastRow(request, row))

/**
 * The forecast of one server, each metric by the best that is there: the network where it serves the metric and its
 * numbers are sound, else the baseline, named as what it is. A metric that was not measured within the window has none.
 */
export function forecastRow(request: RowsToForecast, row: number): ServerForecast {
  const { batch, network } = request
  const { server, slow, instead } = request.rows[row]!
  const made: { [name in MetricName]?: MetricForecast } = {}
  const baseline = rowBaseline(batch, row)
  networkMetricNames.forEach((name, v) => {
    if (!wasMeasured(batch, row, v)) return
    const max = metrics[name].max ?? Infinity
    const why = instead?.[name] ?? whyBaseline(network, name)
    if (why === undefined && 'serving' in network) {
      const { serving } = network
      const numbers = pick(network, row, v)
      if (settle(numbers, max)) {
        const source = `model:${serving.id}`
        made[name] = { source, sourceReason: serving.serves[name]!.reason, ...numbers }
        return
      }
    }
    const numbers = pick(baseline(), 0, v)
    if (!settle(numbers, max)) return
    made[name] = {
      ...baselineSource(batch, row, v, why ?? 'the model gave no usable numbers for this metric'),
      ...numbers,
    }
  })
  Object.assign(made, slow)
  return {
    server,
    issuedAt: request.issuedAt,
    windowEnd: request.windowEnd,
    abstained:
      Object.keys(made).length > 0 ? null : 'no metric was measured within the last 24 hours',
    metrics: made,
  }
}

/** Undefined where the network serves. */
function whyBaseline(network: Network, name: MetricName): string | undefined {
  if ('problem' in network) return network.problem
  const serves = network.serving.serves[name]
  if (!serves) return 'the model was not trained on this metric'
  return serves.model ? undefined : serves.reason
}

function baselineSource(
  batch: WindowBatch,
  row: number,
  v: number,
  why: string,
): Pick<MetricForecast, 'source' | 'sourceReason'> {
  return knowsUsual(batch, row, v)
    ? { source: 'baseline:seven-day-mean-level', sourceReason: why }
    : { source: 'baseline:recent-level', sourceReason: `${why}; ${shortHistory}` }
}

/** Computed for all metrics at once, when the first one asks. */
function rowBaseline(batch: WindowBatch, row: number): () => Numbers {
  let numbers: Numbers | undefined
  return () => {
    if (!numbers) {
      numbers = rowQuantiles()
      fillBaselineQuantiles(numbers, { batch, row }, 'seven-day-mean-level')
    }
    return numbers
  }
}

function wasMeasured({ pastKnown }: WindowBatch, row: number, v: number): boolean {
  for (let t = 0; t < historySteps; t++) {
    if (pastKnown[(row * historySteps + t) * V + v]! > 0) return true
  }
  return false
}

/** Whether an earlier day says what is usual, both lately and ahead. */
function knowsUsual(batch: WindowBatch, row: number, v: number): boolean {
  const { pastKnown, seasonalPastKnown, seasonalKnown } = batch
  let lately = false
  for (let t = 0; t < historySteps && !lately; t++) {
    const k = (row * historySteps + t) * V + v
    lately = pastKnown[k]! > 0 && seasonalPastKnown[k]! > 0
  }
  if (!lately) return false
  let ahead = 0
  for (let f = 0; f < horizonSteps; f++) {
    if (seasonalKnown[(row * horizonSteps + f) * V + v]! > 0) ahead++
  }
  return 2 * ahead >= horizonSteps
}

/** One metric of one row, copied out of [rows][steps][V][Q]. */
function pick(from: Numbers, row: number, v: number): Numbers {
  const quantiles = new Float32Array(horizonSteps * Q)
  const peaks = new Float32Array(P * Q)
  for (let f = 0; f < horizonSteps; f++) {
    const at = ((row * horizonSteps + f) * V + v) * Q
    for (let q = 0; q < Q; q++) quantiles[f * Q + q] = from.quantiles[at + q]!
  }
  for (let p = 0; p < P; p++) {
    const at = ((row * P + p) * V + v) * Q
    for (let q = 0; q < Q; q++) peaks[p * Q + q] = from.peaks[at + q]!
  }
  return { quantiles, peaks }
}
