import { metricIndex, networkMetricNames } from '../metrics.ts'
import { worsens } from '../limits.ts'
import { type Profile, profileId } from '../profiles.ts'
import { fillBaseline } from '../forecast/baseline.ts'
import { calendarWidth, fillCalendar } from './calendar.ts'
import {
  historySteps,
  horizonSteps,
  recentWidth,
  seasonalDays,
  staticWidth,
  stepMinutes,
  V,
  type WindowBatch,
  windowWidths,
} from './window-batch.ts'
import { minuteCell, minuteMs, minutesPerQuarter, quarterCell, type Series } from './series.ts'

/** Of idle the lowest minute counts, of all others the highest reading: what hurts. */
const worstIsLow = networkMetricNames.map((name) => worsens(name) === 'down')

/** Less history than this and there is no forecast. */
export const minHistoryMinutes = 15
/** A server silent for longer than this has no forecast: its window would end in a gap, not now. */
export const maxSilenceMinutes = 15

/** Where each network metric sits among the 14. */
const column = networkMetricNames.map((name) => metricIndex[name])

/** What the model may know of a server beside its readings; never its name or id. */
export type WindowContext = {
  readonly profile?: Profile | undefined
  readonly cores?: number | undefined
  readonly memoryBytes?: number | undefined
  /** True when a maintenance or backup window covers the instant. */
  readonly isEvent?: (at: number) => boolean
}

/** Undefined when a forecast can be made at `now`, else the reason why not, for a person to read. */
export function abstainReason(series: Series, now: number): string | undefined {
  if (series.lastSampleAt < 0) return 'no sample has arrived yet'
  const silent = Math.floor((now - series.lastSampleAt) / minuteMs)
  if (silent > Math.max(maxSilenceMinutes, 2 * series.intervalMinutes)) {
    return `no sample for ${silent} minutes`
  }
  const end = Math.floor(now / minuteMs)
  let measured = 0
  for (let m = end - 24 * 60; m < end; m++) {
    const cell = measuredMinute(series, m)
    if (cell >= 0 && hasAny(series, cell)) measured += series.intervalMinutes
    if (measured >= minHistoryMinutes) return undefined
  }
  return `learning: ${measured} of the first ${minHistoryMinutes} minutes`
}

/** Nothing was measured before the first minute: training hides the older past by moving that minute up. */
function measuredMinute(series: Series, minute: number): number {
  return minute < series.firstMinute ? -1 : minuteCell(series, minute)
}

function measuredQuarter(series: Series, quarter: number): number {
  if ((quarter + 1) * minutesPerQuarter <= series.firstMinute) return -1
  return quarterCell(series, quarter)
}

function hasAny(series: Series, cell: number): boolean {
  for (const c of column) if (series.count[cell + c]! > 0) return true
  return false
}

/**
 * Writes one server's window, ending at the last whole minute before `now`, into row `row` of `batch`. The one
 * implementation of windowing: live forecasts, training and backtest all call it. Gaps are 0 with known 0. Returns
 * the window's end (ms), the instant from which forecast steps count.
 */
export function fillWindow(
  batch: WindowBatch,
  row: number,
  { series, now, context = {} }: { series: Series; now: number; context?: WindowContext },
): number {
  const end = Math.floor(now / minuteMs)
  const isEvent = context.isEvent ?? never
  fillPast(batch, row, { series, end })
  fillSeasonal(batch, row, { series, end })
  fillRecent(batch, row, { series, end })
  for (let i = 0; i < historySteps + horizonSteps; i++) {
    const past = i < historySteps
    const at = (end + (i - historySteps) * stepMinutes) * minuteMs
    const offset = past
      ? row * windowWidths.calendarPast + i * calendarWidth
      : row * windowWidths.calendarFuture + (i - historySteps) * calendarWidth
    fillCalendar(past ? batch.calendarPast : batch.calendarFuture, offset, {
      at,
      event: isEvent(at),
    })
  }
  const s = row * staticWidth
  const { cores, memoryBytes } = context
  batch.statics[s] = cores ? Math.log(cores) : 0
  batch.statics[s + 1] = cores ? 1 : 0
  batch.statics[s + 2] = memoryBytes ? Math.log(memoryBytes / 2 ** 30) : 0
  batch.statics[s + 3] = memoryBytes ? 1 : 0
  const silent = Math.max(0, end - 1 - Math.floor(series.lastSampleAt / minuteMs))
  batch.statics[s + 4] = Math.log1p(silent)
  const historyMinutes = series.firstMinute < 0 ? 0 : Math.max(0, end - series.firstMinute)
  batch.statics[s + 5] = Math.log1p(Math.min(historyMinutes / 60, 24 * 8))
  batch.profile[row] = BigInt(profileId(context.profile))
  fillBaseline(batch, row)
  return end * minuteMs
}

const never = (): boolean => false

/** Sums of one step over its minutes, per metric. */
const sums = new Float64Array(V)
const worst = new Float64Array(V)
const minutesKnown = new Uint8Array(V)

function fillPast(batch: WindowBatch, row: number, { series, end }: At): void {
  const { past, pastKnown } = batch
  const { intervalMinutes, mean, max, count } = series
  for (let step = 0; step < historySteps; step++) {
    const first = end + (step - historySteps) * stepMinutes
    sums.fill(0)
    worst.fill(0)
    minutesKnown.fill(0)
    for (let m = first; m < first + stepMinutes; m++) {
      const cell = measuredMinute(series, m)
      if (cell < 0) continue
      for (let v = 0; v < V; v++) {
        const c = cell + column[v]!
        if (count[c] === 0) continue
        sums[v] = sums[v]! + mean[c]!
        const low = worstIsLow[v]!
        const reading = low ? mean[c]! : max[c]!
        if (minutesKnown[v] === 0 || (low ? reading < worst[v]! : reading > worst[v]!)) {
          worst[v] = reading
        }
        minutesKnown[v] = minutesKnown[v]! + 1
      }
    }
    for (let v = 0; v < V; v++) {
      const k = (row * historySteps + step) * V + v
      const known = minutesKnown[v]!
      past[2 * k] = known === 0 ? 0 : sums[v]! / known
      past[2 * k + 1] = worst[v]!
      pastKnown[k] = Math.min(1, (known * intervalMinutes) / stepMinutes)
    }
  }
}

type At = { readonly series: Series; readonly end: number }

/**
 * The same time of day on the days before, from the quarter-hour tier. A step that does not begin on a quarter hour
 * takes its share of the two quarters it lies across.
 */
function fillSeasonal(batch: WindowBatch, row: number, { series, end }: At): void {
  const late = end % minutesPerQuarter
  const share = late / minutesPerQuarter
  const firstQuarter = Math.floor(end / minutesPerQuarter)
  for (let i = 0; i < historySteps + horizonSteps; i++) {
    const past = i < historySteps
    const quarter = firstQuarter + i - historySteps
    const step = past ? i : i - historySteps
    const base = (row * (past ? historySteps : horizonSteps) + step) * V
    const value = past ? batch.seasonalPast : batch.seasonal
    const known = past ? batch.seasonalPastKnown : batch.seasonalKnown
    value.fill(0, base, base + V)
    known.fill(0, base, base + V)
    if (!past) {
      batch.yesterday.fill(0, base, base + V)
      batch.yesterdayKnown.fill(0, base, base + V)
    }
    for (let day = 1; day <= seasonalDays; day++) {
      const q = quarter - day * 96
      const a = measuredQuarter(series, q)
      const b = late === 0 ? -1 : measuredQuarter(series, q + 1)
      for (let v = 0; v < V; v++) {
        const c = column[v]!
        const weightA = a >= 0 && series.quarterKnown[a + c]! > 0 ? 1 - share : 0
        const weightB = b >= 0 && series.quarterKnown[b + c]! > 0 ? share : 0
        const weight = weightA + weightB
        if (weight < 0.5) continue
        const mean =
          ((weightA > 0 ? weightA * series.quarterMean[a + c]! : 0) +
            (weightB > 0 ? weightB * series.quarterMean[b + c]! : 0)) /
          weight
        value[base + v] = value[base + v]! + mean
        known[base + v] = known[base + v]! + 1
        if (!past && day === 1) {
          batch.yesterday[base + v] = mean
          batch.yesterdayKnown[base + v] = 1
        }
      }
    }
    for (let v = 0; v < V; v++) {
      const days = known[base + v]!
      if (days === 0) continue
      value[base + v] = value[base + v]! / days
      known[base + v] = days / seasonalDays
    }
  }
}

/** The last hour, minute by minute: what a 15-minute mean hides. */
function fillRecent(batch: WindowBatch, row: number, { series, end }: At): void {
  for (let v = 0; v < V; v++) {
    const c = column[v]!
    let n = 0
    let sumT = 0
    let sumX = 0
    let sumTT = 0
    let sumTX = 0
    let worstReading = 0
    const worse = worstIsLow[v] ? Math.min : Math.max
    let lastSum = 0
    let lastN = 0
    for (let m = end - 60; m < end; m++) {
      const cell = measuredMinute(series, m)
      if (cell < 0 || series.count[cell + c] === 0) continue
      const x = series.mean[cell + c]!
      const t = (m - end + 0.5) / 60
      const reading = worstIsLow[v] ? x : series.max[cell + c]!
      worstReading = n === 0 ? reading : worse(worstReading, reading)
      n++
      sumT += t
      sumX += x
      sumTT += t * t
      sumTX += t * x
      if (m >= end - Math.max(5, series.intervalMinutes)) {
        lastSum += x
        lastN++
      }
    }
    const o = (row * V + v) * recentWidth
    const spread = n * sumTT - sumT * sumT
    batch.recent[o] = lastN > 0 ? lastSum / lastN : n > 0 ? sumX / n : 0
    batch.recent[o + 1] = n >= 3 && spread > 1e-9 ? (n * sumTX - sumT * sumX) / spread : 0
    batch.recent[o + 2] = worstReading
    batch.recent[o + 3] = n > 0 ? 1 : 0
  }
}
