import { metricIndex } from '../metrics.ts'
import { minuteMs, minutesPerQuarter, quarterCell, type Series } from '../window/series.ts'
import { horizonSteps as F, stepMinutes } from '../window/window-batch.ts'
import { peakMinutes, Q, quantileLevels, quantileOfSorted } from './quantiles.ts'

/** Forecast of one metric that the network leaves to arithmetic: [F][Q] per step and [P][Q] of the highest. */
export type TrendForecast = {
  readonly quantiles: Float32Array
  readonly peaks: Float32Array
  /** Change per day of the part of the past that the trend is drawn from. */
  readonly perDay: number
}

const P = peakMinutes.length
const quarterMs = minutesPerQuarter * minuteMs
const stepsPerDay = 96
/** Quarters looked back over: a week. */
const lookBack = 7 * stepsPerDay
/** A jump is a change from one hour to the next by more than this many times the usual one, and at least by 1 %. */
const jumpFactor = 8
const smallestJump = 1

/**
 * Disk days ahead: the median slope between hours (Theil 1950) since the last jump, from the level now. A
 * clean-up or a copied image is a jump, not a trend. Undefined with less than half an hour of readings.
 */
export function diskForecast(series: Series, now: number): TrendForecast | undefined {
  const hours = hourlyMeans(series, now)
  const since = hours.slice(lastJump(hours))
  const latest = since.at(-1)
  if (!latest || latest.quarters + (since.at(-2)?.quarters ?? 0) < 2) return undefined
  const slopes: number[] = []
  // Each hour with the one half the past later: Theil's incomplete method, linear in time and nearly as good.
  const half = Math.max(1, Math.ceil(since.length / 2))
  for (let i = 0; i + half < since.length; i++) {
    const early = since[i]!
    const late = since[i + half]!
    slopes.push((late.value - early.value) / (late.at - early.at))
  }
  slopes.sort((a, b) => a - b)
  const slope = slopes.length > 2 ? quantileOfSorted(slopes, 0.5) : 0
  const last = lastQuarterMean(series, now) ?? latest.value
  const away = since.map(({ at, value }) => value - (latest.value + slope * (at - latest.at)))
  const noise = Math.max(0.05, medianOf(away.map(Math.abs)) * 1.48)
  // How far the slope itself may be off: the spread of the slopes shrinks with the number of hours.
  const doubt =
    slopes.length > 2
      ? Math.max(
          0.002,
          (quantileOfSorted(slopes, 0.9) - quantileOfSorted(slopes, 0.1)) /
            (2 * Math.sqrt(since.length)),
        )
      : 0.05
  const spreadAt = (hoursAhead: number): number => Math.hypot(noise, doubt * hoursAhead)
  return laidOut({
    centre: (h) => last + slope * h,
    spread: spreadAt,
    max: 100,
    perDay: slope * 24,
  })
}

/** Uptime counts on: the share of servers that boot within hours is too small to show in any quantile. */
export function uptimeForecast(series: Series, now: number): TrendForecast | undefined {
  const latest = latestMinute(series, metricIndex.uptime_days)
  if (!latest) return undefined
  const start = latest.value + (now - latest.at) / (24 * 60 * minuteMs)
  return laidOut({ centre: (h) => start + h / 24, spread: () => 0, max: Infinity, perDay: 1 })
}

type Hour = { readonly at: number; readonly value: number; readonly quarters: number }

/** Means of up to four quarters each, `at` in hours. */
function hourlyMeans(series: Series, now: number): readonly Hour[] {
  const c = metricIndex.disk_usage_pct
  const end = Math.floor(now / quarterMs)
  const hours: Hour[] = []
  for (let first = end - lookBack; first <= end; first += 4) {
    let sum = 0
    let n = 0
    for (let quarter = first; quarter < Math.min(first + 4, end + 1); quarter++) {
      const cell = quarterCell(series, quarter)
      if (cell < 0 || series.quarterKnown[cell + c] === 0) continue
      sum += series.quarterMean[cell + c]!
      n++
    }
    if (n > 0) hours.push({ at: first / 4, value: sum / n, quarters: n })
  }
  return hours
}

/** Where the part after the last jump begins; two hours must confirm it. */
function lastJump(hours: readonly Hour[]): number {
  const changes = hours.slice(1).map(({ value }, i) => value - hours[i]!.value)
  if (changes.length < 4) return 0
  const middle = medianOf(changes)
  const usual = medianOf(changes.map((change) => Math.abs(change - middle)))
  const limit = Math.max(smallestJump, jumpFactor * usual)
  for (let i = changes.length - 1; i >= 0; i--) {
    if (Math.abs(changes[i]! - middle) > limit) return i + 1
  }
  return 0
}

function lastQuarterMean(series: Series, now: number): number | undefined {
  const c = metricIndex.disk_usage_pct
  const end = Math.floor(now / quarterMs)
  for (let quarter = end; quarter > end - 4; quarter--) {
    const cell = quarterCell(series, quarter)
    if (cell >= 0 && series.quarterKnown[cell + c]! > 0) return series.quarterMean[cell + c]!
  }
  return undefined
}

function latestMinute(
  series: Series,
  metric: number,
): { readonly at: number; readonly value: number } | undefined {
  const width = series.mean.length / series.minuteCapacity
  const oldest = Math.max(series.firstMinute, series.lastMinute - 60)
  for (let minute = series.lastMinute; minute >= oldest && minute >= 0; minute--) {
    const k = (minute % series.minuteCapacity) * width + metric
    if (series.count[k]! > 0) return { at: minute * minuteMs, value: series.mean[k]! }
  }
  return undefined
}

/** Standard normal deviates of the quantile levels. */
const deviates = [-2.054, -1.282, -0.674, 0, 0.674, 1.282, 2.054]

function laidOut({
  centre,
  spread,
  max,
  perDay,
}: {
  readonly centre: (hoursAhead: number) => number
  readonly spread: (hoursAhead: number) => number
  readonly max: number
  readonly perDay: number
}): TrendForecast {
  const quantiles = new Float32Array(F * Q)
  const peaks = new Float32Array(P * Q)
  const held = (value: number): number => Math.min(max, Math.max(0, value))
  for (let f = 0; f < F; f++) {
    const h = ((f + 0.5) * stepMinutes) / 60
    for (let q = 0; q < Q; q++) {
      quantiles[f * Q + q] = held(centre(h) + deviates[q]! * spread(h))
    }
  }
  peakMinutes.forEach((minutes, p) => {
    const h = minutes / 60
    const highest = Math.max(centre(0), centre(h))
    for (let q = 0; q < quantileLevels.length; q++) {
      peaks[p * Q + q] = held(highest + deviates[q]! * spread(h))
    }
  })
  return { quantiles, peaks, perDay }
}

function medianOf(values: readonly number[]): number {
  return quantileOfSorted(
    [...values].sort((a, b) => a - b),
    0.5,
  )
}
