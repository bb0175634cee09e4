import { peakMinutes, Q, quantileLevels } from '../forecast/quantiles.ts'
import { worsens } from '../limits.ts'
import { metricIndex, metrics, type MetricName } from '../metrics.ts'
import { minuteCell, minuteMs, type Series } from '../window/series.ts'

/** What is known at one instant of one metric that may go past its limit; the bad side is up, for idle as well. */
export type Outlook = {
  readonly metric: MetricName
  /** How far the metric is from its limit, in its unit; below 0 it is past it. */
  readonly room: number
  /** What 100 % of the metric is: 100 for shares, the limit for all others. */
  readonly unit: number
  /** How close the limit is to the most a reading can be: 0 below 97 % of it, 1 at 98 %, 2 at 99 %. */
  readonly narrow: number
  /** How much worse it gets in 4 h if it goes on as in the last 1, 6 and 24 hours; what `predict_linear` says. */
  readonly rises: readonly [number, number, number]
  /** Forecast chance that it is past its limit within 1, 4 and 8 hours. */
  readonly chances: readonly [number, number, number]
}

export type OutlookInput = {
  readonly series: Series
  /** The instant of the forecast; nothing after it is read. */
  readonly now: number
  readonly metric: MetricName
  readonly limit: number
  /** [3 windows][7 quantiles] of the worst reading: of idle the lowest. Absent: the chances are 0. */
  readonly peaks?: ArrayLike<number> | undefined
  readonly offset?: number
}

/** Minutes looked back on for a trend. */
const looks = [60, 360, 1440] as const
const levelMinutes = 5
const aheadMinutes = 240

/** Undefined while the metric was not measured in the last minutes: of it nothing can be said. */
export function outlookOf(input: OutlookInput): Outlook | undefined {
  const { series, now, metric, limit, peaks, offset = 0 } = input
  const sign = worsens(metric) === 'down' ? -1 : 1
  const end = Math.floor(now / minuteMs)
  const c = metricIndex[metric]
  const level = meanOf(series, {
    c,
    from: end - Math.max(levelMinutes, series.intervalMinutes),
    end,
  })
  if (level === undefined) return undefined
  const max = metrics[metric].max
  const chance = (p: number): number =>
    peaks ? chancePast(peaks, { limit, sign, offset: offset + p * Q }) : 0
  const rise = (l: 0 | 1 | 2): number =>
    sign * (lineAhead(series, { c, from: end - looks[l], end }) - level)
  return {
    metric,
    room: sign * (limit - level),
    unit: max ?? limit,
    narrow: max !== undefined && sign > 0 ? Math.max(0, limit - 97) : 0,
    rises: [rise(0), rise(1), rise(2)],
    chances: [chance(0), chance(1), chance(peakMinutes.length - 1)],
  }
}

type Span = { readonly c: number; readonly from: number; readonly end: number }

function meanOf(series: Series, { c, from, end }: Span): number | undefined {
  let sum = 0
  let known = 0
  for (let m = from; m < end; m++) {
    const cell = minuteCell(series, m)
    if (m < series.firstMinute || cell < 0 || series.count[cell + c] === 0) continue
    sum += series.mean[cell + c]!
    known++
  }
  return known > 0 ? sum / known : undefined
}

/** Least squares through the readings of the last minutes, carried on for 4 h; the reading itself where there is one alone. */
function lineAhead(series: Series, { c, from, end }: Span): number {
  let n = 0
  let x = 0
  let xx = 0
  let y = 0
  let xy = 0
  for (let m = from; m < end; m++) {
    const cell = minuteCell(series, m)
    if (m < series.firstMinute || cell < 0 || series.count[cell + c] === 0) continue
    const value = series.mean[cell + c]!
    const at = m - end
    n++
    x += at
    xx += at * at
    y += value
    xy += at * value
  }
  if (n === 0) return NaN
  const spread = n * xx - x * x
  const slope = spread > 0 ? (n * xy - x * y) / spread : 0
  return (y - slope * x) / n + slope * aheadMinutes
}

/**
 * The chance of reaching `limit`. Past the outer quantile it fades with the width of the upper half, instead of ending
 * there: a limit just beyond is likelier than one far beyond, and alerts need to tell them apart.
 */
function chancePast(
  peaks: ArrayLike<number>,
  { limit, sign, offset }: { limit: number; sign: number; offset: number },
): number {
  const edge = sign * limit
  const at = (q: number): number => sign * peaks[offset + (sign > 0 ? q : Q - 1 - q)]!
  if (edge <= at(0)) return 1 - quantileLevels[0]
  for (let q = 1; q < Q; q++) {
    if (edge > at(q)) continue
    const share = at(q) > at(q - 1) ? (edge - at(q - 1)) / (at(q) - at(q - 1)) : 1
    return 1 - (quantileLevels[q - 1]! + share * (quantileLevels[q]! - quantileLevels[q - 1]!))
  }
  const width = Math.max(1e-6, at(Q - 1) - at(Q >> 1))
  return (1 - quantileLevels[Q - 1]!) * Math.exp((-2 * (edge - at(Q - 1))) / width)
}
