import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import { horizonSteps, stepMinutes } from '@harbinger/shared/window/window-batch'
import type { MetricForecast } from './server-forecast.ts'

/** The quantile levels of a standard normal: .02 .1 .25 .5 .75 .9 .98. */
const normal = [-2.054, -1.282, -0.674, 0, 0.674, 1.282, 2.054] as const
/** A step of more than this, and of more than so many usual changes, is a jump: files appeared or went. */
const jumpPoints = 1
const jumpFactor = 8
/** Known steps from which a trend is believed; fewer are a level. */
const trendSteps = 8
const smallestWidth = 0.02
/** How far a disk of which little is known may move in one step, in points. */
const presumedChange = 0.1

/**
 * Disk use: the median slope since the last jump (Theil–Sen), from the level of the last hour. Undefined when disk
 * was not measured in the window.
 */
export function diskForecast(disk: Float32Array): MetricForecast | undefined {
  const steps: number[] = []
  const values: number[] = []
  disk.forEach((value, step) => {
    if (Number.isNaN(value)) return
    steps.push(step)
    values.push(value)
  })
  if (values.length === 0) return undefined
  const changes = values.slice(1).map((value, i) => value - values[i]!)
  const usual = median(changes.map(Math.abs)) ?? 0
  const limit = Math.max(jumpPoints, jumpFactor * usual)
  const jump = changes.findLastIndex((change) => Math.abs(change) > limit)
  const x = steps.slice(jump + 1)
  const y = values.slice(jump + 1)
  const isTrend = x.length >= trendSteps
  const slope = isTrend ? theilSen(x, y) : 0
  const last = disk.length
  const now = median(
    y.slice(-4).map((value, i, end) => value + slope * (last - x.at(i - end.length)!)),
  )!
  const away = median(y.map((value, i) => Math.abs(value - now - slope * (x[i]! - last)))) ?? 0
  // 1.48 turns a median absolute deviation into a standard deviation.
  const noise = 1.48 * (isTrend ? away : 0)
  const perStep = isTrend ? 1.48 * usual : Math.max(presumedChange, 1.48 * usual)
  const quantiles = new Float32Array(horizonSteps * Q)
  for (let f = 0; f < horizonSteps; f++) {
    const ahead = f + 0.5
    const width = smallestWidth + Math.hypot(noise, perStep * Math.sqrt(ahead))
    for (let q = 0; q < Q; q++) {
      quantiles[f * Q + q] = clamp(now + slope * ahead + normal[q]! * width)
    }
  }
  return {
    source: 'baseline:robust-trend',
    sourceReason: diskReason(isTrend, jump >= 0),
    quantiles,
    peaks: highest(quantiles),
  }
}

function diskReason(isTrend: boolean, jumped: boolean): string {
  if (!isTrend) {
    return jumped
      ? 'disk jumped within the last two hours, so its level is taken to stay until a trend shows'
      : 'less than two hours of history, so the level is taken to stay'
  }
  return jumped
    ? 'disk is forecast by its trend since its last jump'
    : 'disk is forecast by its trend over the last day'
}

/** Uptime passes as time does. Undefined when it was not measured. */
export function uptimeForecast(uptimeDays: number): MetricForecast | undefined {
  if (!Number.isFinite(uptimeDays)) return undefined
  const quantiles = new Float32Array(horizonSteps * Q)
  const peaks = new Float32Array(peakMinutes.length * Q)
  const after = (minutes: number) => uptimeDays + minutes / (24 * 60)
  for (let f = 0; f < horizonSteps; f++) {
    quantiles.fill(after((f + 0.5) * stepMinutes), f * Q, (f + 1) * Q)
  }
  peakMinutes.forEach((minutes, p) => peaks.fill(after(minutes), p * Q, (p + 1) * Q))
  return {
    source: 'baseline:arithmetic',
    sourceReason: 'uptime grows with time; a restart is not foreseen',
    quantiles,
    peaks,
  }
}

/** The highest of each quantile over the steps of each window: right for what moves in one direction. */
function highest(quantiles: Float32Array): Float32Array {
  const peaks = new Float32Array(peakMinutes.length * Q)
  peakMinutes.forEach((minutes, p) => {
    for (let f = 0; f < minutes / stepMinutes; f++) {
      for (let q = 0; q < Q; q++) {
        peaks[p * Q + q] = Math.max(peaks[p * Q + q]!, quantiles[f * Q + q]!)
      }
    }
  })
  return peaks
}

function theilSen(x: readonly number[], y: readonly number[]): number {
  const slopes: number[] = []
  // Every second point at most: a day of steps makes 1,128 pairs instead of 4,560.
  const stride = x.length > 48 ? 2 : 1
  for (let i = 0; i < x.length; i += stride) {
    for (let j = i + stride; j < x.length; j += stride) {
      slopes.push((y[j]! - y[i]!) / (x[j]! - x[i]!))
    }
  }
  return median(slopes) ?? 0
}

function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const clamp = (value: number): number => Math.min(100, Math.max(0, value))
