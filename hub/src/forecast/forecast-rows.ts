import type { BaselineName } from '@harbinger/shared/forecast/baseline-names'
import { fillBaselineQuantiles, rowQuantiles } from '@harbinger/shared/forecast/baselines'
import { balanceParts } from '@harbinger/shared/forecast/balance'
import { type Adapted, type Calibrate, openCalibration } from '@harbinger/shared/forecast/calibrate'
import { contenderOf, noCalibration } from '@harbinger/shared/forecast/calibration'
import { curveIn } from '@harbinger/shared/forecast/chance-curves'
import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import { type Numbers, settle } from '@harbinger/shared/forecast/settle'
import { type MetricName, networkMetricNames } from '@harbinger/shared/metrics'
import { type Choice, choiceOf, type Manifest } from '@harbinger/shared/model'
import { type Profile, profiles } from '@harbinger/shared/profiles'
import {
  historySteps,
  horizonSteps,
  V,
  type WindowBatch,
} from '@harbinger/shared/window/window-batch'
import type { MetricForecast, ServerForecast } from './server-forecast.ts'
import type { SlowForecasts } from './slow-forecasts.ts'

/** A model and who serves each metric, by its manifest. */
export type Serving = Pick<Manifest, 'id' | 'serves'> & {
  /** What the numbers are corrected by; default: nothing. */
  readonly calibrate?: Calibrate
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
  /** What was learnt from matured truth since. */
  readonly adapted?: Adapted | undefined
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
  const baseline = rowBaselines(batch, row)
  const profile = profiles[Number(batch.profile[row]) - 1]
  networkMetricNames.forEach((name, v) => {
    if (!wasMeasured(batch, row, v)) return
    const correct = corrector(request, { profile, v })
    const choice = choose(network, name, { profile, instead: instead?.[name] })
    if (choice.contender === 'model' && 'serving' in network) {
      const numbers = pick(network, row, v)
      const source = `model:${network.serving.id}`
      const chances = correct(numbers, source)
      if (settle(numbers, name)) {
        made[name] = { source, sourceReason: choice.reason, ...numbers, ...chances }
        return
      }
    }
    const { contender, reason } =
      choice.contender === 'model'
        ? strong('the model gave no usable numbers for this metric')
        : choice
    const named = honestName(contender as BaselineName, { batch, row, v }, reason)
    const numbers = pick(baseline(named.computed, v), 0, v)
    const chances = correct(numbers, named.made.source)
    if (settle(numbers, name)) made[name] = { ...named.made, ...numbers, ...chances }
  })
  balanceParts((name) => made[name])
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

/** Corrects numbers in place and says what chances read off their peaks are worth. */
function corrector(
  { network, adapted }: RowsToForecast,
  of: { readonly profile: Profile | undefined; readonly v: number },
): (numbers: Numbers, source: string) => Pick<MetricForecast, 'chances'> {
  const calibrate = ('serving' in network ? network.serving.calibrate : undefined) ?? uncalibrated
  return (numbers, source) => {
    const contender = contenderOf(source)
    if (contender === undefined) return {}
    calibrate(numbers, { contender, ...of }, adapted?.bands)
    const curve = curveIn(adapted?.curves, { contender, ...of })
    return curve ? { chances: curve } : {}
  }
}

const uncalibrated = openCalibration(noCalibration)

/** The baseline that serves where no backtest chose another. */
const strong = (reason: string): Choice => ({ contender: 'seven-day-mean-level', reason })

function choose(
  network: Network,
  name: MetricName,
  {
    profile,
    instead,
  }: { readonly profile: Profile | undefined; readonly instead: string | undefined },
): Choice {
  if (instead !== undefined) return strong(instead)
  if ('problem' in network) return strong(network.problem)
  return (
    choiceOf(network.serving.serves, name, profile) ??
    strong('the model was not trained on this metric')
  )
}

/** What a baseline really is where it has no earlier day to go by: named as that, and computed as that. */
function honestName(
  name: BaselineName,
  { batch, row, v }: { readonly batch: WindowBatch; readonly row: number; readonly v: number },
  why: string,
): {
  readonly computed: BaselineName
  readonly made: Pick<MetricForecast, 'source' | 'sourceReason'>
} {
  const plain = (computed: BaselineName, sourceReason = why) => ({
    ...{ computed, made: { source: `baseline:${computed}`, sourceReason } },
  })
  if (!needsUsual.has(name) || knowsUsual(batch, row, v)) return plain(name)
  if (name === 'seasonal-naive') {
    return plain('last-value', `${why}; with less than a day of history: the last value`)
  }
  const sourceReason = `${why}; ${shortHistory}`
  return { computed: name, made: { source: 'baseline:recent-level', sourceReason } }
}

const needsUsual: ReadonlySet<BaselineName> = new Set(['seven-day-mean-level', 'seasonal-naive'])

/** Each computed for the metrics that ask, as most are forecast by the network. */
function rowBaselines(batch: WindowBatch, row: number): (name: BaselineName, v: number) => Numbers {
  const made = new Map<BaselineName, Numbers>()
  const wanted = new Uint8Array(networkMetricNames.length)
  return (name, v) => {
    let numbers = made.get(name)
    if (!numbers) made.set(name, (numbers = rowQuantiles()))
    wanted.fill(0)[v] = 1
    fillBaselineQuantiles(numbers, { batch, row, wanted }, name)
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
function pick({ quantiles, peaks }: Numbers, row: number, v: number): Numbers {
  return {
    quantiles: pickSteps(quantiles, { first: row * horizonSteps, steps: horizonSteps, v }),
    peaks: pickSteps(peaks, { first: row * P, steps: P, v }),
  }
}

function pickSteps(
  from: Float32Array,
  { first, steps, v }: { readonly first: number; readonly steps: number; readonly v: number },
): Float32Array {
  const picked = new Float32Array(steps * Q)
  for (let step = 0, to = 0; step < steps; step++) {
    const at = ((first + step) * V + v) * Q
    for (let q = 0; q < Q; q++) picked[to++] = from[at + q]!
  }
  return picked
}
