import { metricNames } from '@harbinger/shared/metrics'
import {
  minuteCell,
  minutesPerQuarter,
  closeQuarter,
  type Series,
  type Rollup,
  setQuarter,
  quarterCell,
} from '@harbinger/shared/window/series'
import type { QuarterRollup, RollupStore } from './rollup-store.ts'

const width = metricNames.length

/** Computes a quarter of an hour from its minutes, in memory or where they are stored, and keeps it in both. */
export function keepQuarter(
  rollups: RollupStore,
  { serverId, quarter, series }: { serverId: number; quarter: number; series: Series },
): void {
  const rollup = closeQuarter(series, quarter)
    ? fromSeries(series, quarter)
    : fromStored(rollups, { serverId, quarter })
  if (!rollup) return
  setQuarter(series, quarter, rollup.mean, rollup.known)
  rollups.putQuarter(serverId, quarter, rollup)
}

function fromSeries(series: Series, quarter: number): QuarterRollup {
  const cell = quarterCell(series, quarter)
  const max = new Float32Array(width).fill(NaN)
  const first = quarter * minutesPerQuarter
  for (let minute = first; minute < first + minutesPerQuarter; minute++) {
    const at = minuteCell(series, minute)
    if (at >= 0) raise(max, series.max.subarray(at, at + width))
  }
  return {
    mean: series.quarterMean.slice(cell, cell + width),
    known: series.quarterKnown.slice(cell, cell + width),
    max,
  }
}

/** Undefined when retention has let the minutes go: a stored quarter is not replaced by half of itself. */
function fromStored(
  rollups: RollupStore,
  { serverId, quarter }: { serverId: number; quarter: number },
): QuarterRollup | undefined {
  const sums = quarterSums()
  const from = quarter * minutesPerQuarter
  let minutes = 0
  rollups.eachMinute(serverId, { from, to: from + minutesPerQuarter }, (_minute, rollup) => {
    minutes++
    sums.add(rollup)
  })
  return minutes === 0 ? undefined : sums.rollup()
}

export function keepQuarterFromStored(
  rollups: RollupStore,
  serverId: number,
  quarter: number,
): void {
  const rollup = fromStored(rollups, { serverId, quarter })
  if (rollup) rollups.putQuarter(serverId, quarter, rollup)
}

/** Adds minutes up to a quarter. */
export function quarterSums() {
  let quarter = -1
  const sum = new Float64Array(width)
  const known = new Uint8Array(width)
  const max = new Float32Array(width).fill(NaN)

  return {
    /** Which one is being added up; −1 before the first. */
    at: (): number => quarter,
    start(next: number): void {
      quarter = next
      sum.fill(0)
      known.fill(0)
      max.fill(NaN)
    },
    add(minute: Rollup): void {
      raise(max, minute.max)
      for (let i = 0; i < width; i++) {
        if (minute.count[i] === 0) continue
        sum[i] = sum[i]! + minute.mean[i]!
        known[i] = known[i]! + 1
      }
    },
    rollup: (): QuarterRollup => ({
      mean: Float32Array.from(sum, (x, i) => (known[i] === 0 ? NaN : x / known[i]!)),
      known: known.slice(),
      max: max.slice(),
    }),
  }
}

function raise(max: Float32Array, values: Float32Array): void {
  for (let i = 0; i < width; i++) {
    const value = values[i]!
    if (!(value <= max[i]!) && !Number.isNaN(value)) max[i] = value
  }
}
