import { metricNames, type Readings } from '../metrics.ts'

export const minuteMs = 60_000
export const minutesPerQuarter = 15

const width = metricNames.length

/** Minutes a live series keeps: the 24 h the window shows and the hour before it. */
export const liveMinutes = 25 * 60

/** Quarters of an hour a live series keeps: 8 days and the hours around them. */
export const liveQuarters = 8 * 96 + 32

/** One minute of one server: mean and max of each metric (NaN where unknown) and how many readings made it. */
export type Rollup = {
  readonly mean: Float32Array
  readonly max: Float32Array
  readonly count: Uint16Array
}

/**
 * What is known of one server lately, indexed by time: minute rollups (mean, max, count) and, for the days before,
 * quarter-hour means. A minute that nobody measured is NaN. Older minutes fall off the far end.
 */
export type Series = {
  readonly minuteCapacity: number
  readonly quarterCapacity: number
  /** Cells are [minute mod capacity][metric]. */
  readonly mean: Float32Array
  readonly max: Float32Array
  readonly count: Uint16Array
  readonly quarterMean: Float32Array
  /** How many minutes of the quarter were measured, 0 … 15. */
  readonly quarterKnown: Uint8Array
  /** The newest minute since the epoch that has a place; −1 before the first sample. */
  lastMinute: number
  lastQuarter: number
  /** The first minute ever measured. */
  firstMinute: number
  /** Minutes from one sample to the next, at least 1: a file in 5-minute steps leaves no gaps. */
  intervalMinutes: number
  lastSampleAt: number
}

export function emptySeries({
  minutes = liveMinutes,
  quarters = liveQuarters,
  intervalMinutes = 1,
}: {
  readonly minutes?: number
  readonly quarters?: number
  readonly intervalMinutes?: number
} = {}): Series {
  return {
    minuteCapacity: minutes,
    quarterCapacity: quarters,
    mean: new Float32Array(minutes * width).fill(NaN),
    max: new Float32Array(minutes * width).fill(NaN),
    count: new Uint16Array(minutes * width),
    quarterMean: new Float32Array(quarters * width).fill(NaN),
    quarterKnown: new Uint8Array(quarters * width),
    lastMinute: -1,
    lastQuarter: -1,
    firstMinute: -1,
    intervalMinutes,
    lastSampleAt: -1,
  }
}

export const minuteOf = (at: number): number => Math.floor(at / minuteMs)

/** Where a minute's cells begin, or −1 when the series has no place for it (too old, or not reached yet). */
export function minuteCell(series: Series, minute: number): number {
  if (minute > series.lastMinute || minute <= series.lastMinute - series.minuteCapacity) return -1
  return (minute % series.minuteCapacity) * width
}

export function quarterCell(series: Series, quarter: number): number {
  if (quarter > series.lastQuarter || quarter <= series.lastQuarter - series.quarterCapacity)
    return -1
  return (quarter % series.quarterCapacity) * width
}

/** Makes a place for `minute`, forgetting what falls off the far end. */
function reach(series: Series, minute: number): void {
  if (series.lastMinute < 0) {
    series.lastMinute = minute - 1
    series.lastQuarter = Math.floor(minute / minutesPerQuarter) - 1
  }
  const cleared = Math.min(minute - series.lastMinute, series.minuteCapacity)
  for (let m = minute - cleared + 1; m <= minute; m++) {
    const cell = (m % series.minuteCapacity) * width
    series.mean.fill(NaN, cell, cell + width)
    series.max.fill(NaN, cell, cell + width)
    series.count.fill(0, cell, cell + width)
  }
  if (minute > series.lastMinute) series.lastMinute = minute
  const quarter = Math.floor(minute / minutesPerQuarter)
  const clearedQuarters = Math.min(quarter - series.lastQuarter, series.quarterCapacity)
  for (let q = quarter - clearedQuarters + 1; q <= quarter; q++) {
    const cell = (q % series.quarterCapacity) * width
    series.quarterMean.fill(NaN, cell, cell + width)
    series.quarterKnown.fill(0, cell, cell + width)
  }
  if (quarter > series.lastQuarter) series.lastQuarter = quarter
}

/**
 * Adds one sample's readings to its minute. Order does not matter: a late sample corrects its minute as long as
 * the series reaches back that far. Returns the minute's cell, or −1 when it is too old.
 */
export function addSample(series: Series, at: number, readings: Readings): number {
  for (let i = 0; i < width; i++) row[i] = readings[metricNames[i]!] ?? NaN
  return addValues(series, at, row)
}

const row = new Float64Array(width)

/** Adds one sample given as one value per metric, NaN where it was not measured. */
export function addValues(series: Series, at: number, values: ArrayLike<number>): number {
  const minute = minuteOf(at)
  if (minute > series.lastMinute) reach(series, minute)
  const cell = minuteCell(series, minute)
  if (cell < 0) return -1
  const { mean, max, count } = series
  for (let i = 0; i < width; i++) {
    const value = values[i]!
    if (Number.isNaN(value)) continue
    const k = cell + i
    const n = (count[k] = Math.min(65_535, count[k]! + 1))
    mean[k] = n === 1 ? value : mean[k]! + (value - mean[k]!) / n
    max[k] = n === 1 ? value : Math.max(max[k]!, value)
  }
  noteMinute(series, minute, at)
  return cell
}

/** Puts a stored minute rollup in its place, as when a hub starts from its database. */
export function setMinute(series: Series, minute: number, rollup: Rollup): void {
  if (minute > series.lastMinute) reach(series, minute)
  const cell = minuteCell(series, minute)
  if (cell < 0) return
  series.mean.set(rollup.mean, cell)
  series.max.set(rollup.max, cell)
  series.count.set(rollup.count, cell)
  noteMinute(series, minute, (minute + 1) * minuteMs - 1)
}

/** Puts a stored quarter in its place: means (NaN where unknown) and measured minutes per metric. */
export function setQuarter(
  series: Series,
  quarter: number,
  mean: Float32Array,
  known: Uint8Array,
): void {
  const minute = quarter * minutesPerQuarter
  if (minute > series.lastMinute) reach(series, minute)
  const cell = quarterCell(series, quarter)
  if (cell < 0) return
  series.quarterMean.set(mean, cell)
  series.quarterKnown.set(known, cell)
  if (series.firstMinute < 0 || minute < series.firstMinute) series.firstMinute = minute
}

function noteMinute(series: Series, minute: number, at: number): void {
  if (series.firstMinute < 0 || minute < series.firstMinute) series.firstMinute = minute
  if (at > series.lastSampleAt) series.lastSampleAt = at
}

/**
 * Recomputes one quarter from its minutes and keeps it; returns false when the minutes are no longer all there, so
 * that a stored quarter is never overwritten by half of itself.
 */
export function closeQuarter(series: Series, quarter: number): boolean {
  const first = quarter * minutesPerQuarter
  if (first <= series.lastMinute - series.minuteCapacity) return false
  const cell = quarterCell(series, quarter)
  if (cell < 0) return false
  for (let i = 0; i < width; i++) {
    let sum = 0
    let known = 0
    for (let m = first; m < first + minutesPerQuarter; m++) {
      const at = minuteCell(series, m)
      if (at < 0 || series.count[at + i] === 0) continue
      sum += series.mean[at + i]!
      known++
    }
    series.quarterMean[cell + i] = known === 0 ? NaN : sum / known
    series.quarterKnown[cell + i] = known
  }
  return true
}
