/// <reference lib="esnext.float16" />
import { metrics, networkMetricNames } from '@harbinger/shared/metrics'
import type { BaselineName } from '@harbinger/shared/forecast/baseline-names'
import { thresholdLevels } from '@harbinger/shared/forecast/own-thresholds'
import { peakMinutes } from '@harbinger/shared/forecast/quantiles'

/** Minutes from a window's end to the steps that are logged; the last step begins a quarter of an hour before 8 h. */
export const loggedLeads = [30, 60, 120, 240, 465] as const
/** Quantile levels that are logged: those of the weighted quantile loss and of the 80 % band. */
export const loggedLevels = [0.1, 0.5, 0.9] as const
/** Logged beside every forecast, so that skill is judged on the same points. The first is the one that serves. */
export const loggedBaselines = [
  'seven-day-mean-level',
  'theta-like',
  'last-value',
] as const satisfies readonly BaselineName[]

const L = loggedLeads.length * loggedLevels.length
const P = peakMinutes.length
const PL = P * loggedLevels.length
const B = loggedBaselines.length
const V = networkMetricNames.length
const O = thresholdLevels.length
const perMetric = L + PL + P + 1 + O + P * O + B * L
const version = 2
const heading = 2 + 2 * V

/** What was forecast of one metric, in its unit. */
export type LoggedMetric = {
  /** `model:<id>` or `baseline:<name>` */
  readonly source: string
  /** [5 leads][3 levels] */
  readonly steps: Float32Array
  /** [60, 240, 480 minutes][3 levels] of the worst reading within */
  readonly peaks: Float32Array
  /** [60, 240, 480 minutes]: chance of reaching `limit` within; NaN where it was not said. */
  readonly breach: Float32Array
  /** The critical limit at the time; NaN without one. */
  readonly limit: number
  /** [3 levels]: thresholds that the server reaches now and then; NaN where it has none. See ownThresholds(). */
  readonly ownThresholds: Float32Array
  /** [60, 240, 480 minutes][3 levels]: chance of reaching each within, as read off the peaks, before any curve. */
  readonly ownChances: Float32Array
  /** Per logged baseline [5 leads][3 levels] */
  readonly baselines: readonly Float32Array[]
}

/** In the order of the network's metrics; undefined where there was no forecast. */
export type LoggedMetrics = readonly (LoggedMetric | undefined)[]

/**
 * Half floats hold eleven bits: a forecast to one part in two thousand, whole numbers up to 2,048 exactly. Metrics
 * without an upper bound are divided by 64 first, which costs no digit and reaches to four million.
 */
const scale = networkMetricNames.map((name) => (metrics[name].max === undefined ? 64 : 1))

/** The numbers of one forecast as they are kept: a version, a source per metric, then half floats. */
export function toBody(logged: LoggedMetrics, sourceId: (source: string) => number): Uint8Array {
  const present = logged.filter((metric) => metric !== undefined).length
  const body = new Uint8Array(heading + 2 * perMetric * present)
  const view = new DataView(body.buffer)
  view.setUint8(0, version)
  const numbers = new Float16Array(body.buffer, heading)
  let to = 0
  logged.forEach((metric, v) => {
    if (!metric) return
    view.setUint16(2 + 2 * v, sourceId(metric.source), true)
    const { steps, peaks, breach, limit, ownThresholds, ownChances, baselines } = metric
    const put = (values: ArrayLike<number>, by: number): void => {
      for (let i = 0; i < values.length; i++) numbers[to++] = values[i]! / by
    }
    put(steps, scale[v]!)
    put(peaks, scale[v]!)
    put(breach, 1)
    put([limit], scale[v]!)
    put(ownThresholds, scale[v]!)
    put(ownChances, 1)
    for (const baseline of baselines) put(baseline, scale[v]!)
  })
  return body
}

/** Throws when the body was written by a version that this one does not know; the first had no own thresholds. */
export function readBody(body: Uint8Array, sourceOf: (id: number) => string): LoggedMetrics {
  // A copy: half floats must lie on even addresses.
  const bytes = Uint8Array.from(body)
  const view = new DataView(bytes.buffer)
  const written = view.getUint8(0)
  if (written !== version && written !== 1) {
    throw new Error(
      `a row of the forecast log has version ${written}, this Harbinger reads 1 and ${version}`,
    )
  }
  const numbers = new Float16Array(bytes.buffer, heading)
  let from = 0
  return networkMetricNames.map((_, v) => {
    const source = view.getUint16(2 + 2 * v, true)
    if (source === 0) return undefined
    const take = (n: number, by: number): Float32Array => {
      const values = new Float32Array(n)
      for (let i = 0; i < n; i++) values[i] = numbers[from++]! * by
      return values
    }
    return {
      source: sourceOf(source),
      steps: take(L, scale[v]!),
      peaks: take(PL, scale[v]!),
      breach: take(P, 1),
      limit: take(1, scale[v]!)[0]!,
      ownThresholds: written === 1 ? unknown(O) : take(O, scale[v]!),
      ownChances: written === 1 ? unknown(P * O) : take(P * O, 1),
      baselines: loggedBaselines.map(() => take(L, scale[v]!)),
    }
  })
}

const unknown = (n: number): Float32Array => new Float32Array(n).fill(NaN)
