import { metricIndex, metrics, networkMetricNames } from '@harbinger/shared/metrics'
import {
  minuteCell,
  minuteMs,
  minutesPerQuarter,
  quarterCell,
  type Series,
} from '@harbinger/shared/window/series'
import { V } from '@harbinger/shared/window/window-batch'

/** What is "now" to the tests of drift, in minutes; a shift is whole in it so long after it began. */
export const recentMinutes = 30
const dayQuarters = 96
/** The same weekday and time: what a market's week does is not drift. */
export const weekQuarters = 7 * dayQuarters
/** People read CPU used, so its ratio is what is told. */
const isIdle = networkMetricNames.map((name) => name === 'cpu_idle_pct')
const column = networkMetricNames.map((name) => metricIndex[name])
/** Added before a ratio is taken, so that 0.1 against 0.3 of nearly nothing is no shift. */
const nearlyNothing = networkMetricNames.map((name) =>
  metrics[name].unit === '%' || metrics[name].unit === 'sockets' ? 1 : 0.1,
)

/** What the last half hour of one server says of its feed. */
export type RecentInputs = {
  /** Whether anything was measured at all. */
  readonly reports: boolean
  /** Per metric ln(now ÷ a week ago); NaN where one of the two is not known. */
  readonly ratio: Float64Array
  /** Per metric 1 when it was measured at this time yesterday, and 1 when it is measured now. */
  readonly before: Uint8Array
  readonly now: Uint8Array
}

const sum = new Float64Array(V)
const count = new Float64Array(V)
const past = new Float64Array(V)
const pastKnown = new Float64Array(V)

const asShown = (v: number, value: number): number => (isIdle[v] ? 100 - value : value)

/** Reads the half hour before `at`. */
export function recentInputs(series: Series, at: number): RecentInputs {
  const end = Math.floor(at / minuteMs)
  sum.fill(0)
  count.fill(0)
  for (let m = end - recentMinutes; m < end; m++) {
    const cell = minuteCell(series, m)
    if (cell < 0) continue
    for (let v = 0; v < V; v++) {
      const c = cell + column[v]!
      if (series.count[c] === 0) continue
      sum[v] = sum[v]! + asShown(v, series.mean[c]!)
      count[v] = count[v]! + series.intervalMinutes
    }
  }
  const before = new Uint8Array(V)
  readQuarters(series, end, dayQuarters)
  for (let v = 0; v < V; v++) before[v] = pastKnown[v]! > 0 ? 1 : 0
  readQuarters(series, end, weekQuarters)
  const ratio = new Float64Array(V)
  for (let v = 0; v < V; v++) {
    const steps = count[v]! / series.intervalMinutes
    const known = 2 * count[v]! >= recentMinutes && 2 * pastKnown[v]! >= recentMinutes
    ratio[v] = known
      ? Math.log(
          (sum[v]! / steps + nearlyNothing[v]!) / (past[v]! / pastKnown[v]! + nearlyNothing[v]!),
        )
      : NaN
  }
  return {
    reports: count.some((minutes) => minutes > 0),
    ratio,
    before,
    now: Uint8Array.from(count, (minutes) => (minutes > 0 ? 1 : 0)),
  }
}

/** The quarters that the half hour lies in, so many quarters earlier: sums over minutes and how many there were. */
function readQuarters(series: Series, end: number, back: number): void {
  past.fill(0)
  pastKnown.fill(0)
  const first = Math.floor((end - recentMinutes) / minutesPerQuarter) - back
  const last = Math.floor((end - 1) / minutesPerQuarter) - back
  for (let q = first; q <= last; q++) {
    const cell = quarterCell(series, q)
    if (cell < 0) continue
    for (let v = 0; v < V; v++) {
      const minutes = series.quarterKnown[cell + column[v]!]! * series.intervalMinutes
      if (minutes === 0) continue
      past[v] = past[v]! + minutes * asShown(v, series.quarterMean[cell + column[v]!]!)
      pastKnown[v] = pastKnown[v]! + minutes
    }
  }
}
