import {
  closeQuarter,
  minuteOf,
  minutesPerQuarter,
  type Series,
  setMinute,
  setQuarter,
} from '@harbinger/shared/window/series'
import type { RollupStore } from './rollup-store.ts'

/** Fills an empty series from the minute and quarter tiers, up to `now`; it is as if the hub had never stopped. */
export function loadSeries(
  rollups: RollupStore,
  { serverId, series, now }: { serverId: number; series: Series; now: number },
): void {
  // Clocks may be five minutes apart, so the newest minutes may lie ahead.
  const end = minuteOf(now) + 6
  const lastQuarter = Math.floor(end / minutesPerQuarter)
  rollups.eachMinute(
    serverId,
    { from: end - series.minuteCapacity + 1, to: end + 1 },
    (minute, rollup) => setMinute(series, minute, rollup),
  )
  rollups.eachQuarter(
    serverId,
    { from: lastQuarter - series.quarterCapacity + 1, to: lastQuarter + 1 },
    (quarter, { mean, known }) => setQuarter(series, quarter, mean, known),
  )
  if (series.lastMinute < 0) return
  // A hub that was killed may have stored the minutes and not yet their quarter.
  const last = Math.floor(series.lastMinute / minutesPerQuarter)
  const first = Math.ceil((series.lastMinute - series.minuteCapacity + 1) / minutesPerQuarter)
  for (let q = first; q <= last; q++) {
    if (hasMinutes(series, q)) closeQuarter(series, q)
  }
}

function hasMinutes(series: Series, quarter: number): boolean {
  const width = series.count.length / series.minuteCapacity
  for (let m = quarter * minutesPerQuarter; m < (quarter + 1) * minutesPerQuarter; m++) {
    if (m > series.lastMinute) return false
    const cell = (m % series.minuteCapacity) * width
    for (let i = 0; i < width; i++) if (series.count[cell + i]! > 0) return true
  }
  return false
}
