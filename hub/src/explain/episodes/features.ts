import { metricIndex, type MetricName, metrics } from '@harbinger/shared/metrics'
import { minuteCell, minuteMs, type Series } from '@harbinger/shared/window/series'

/** By what two stretches of time are compared. Of the CPU parts idle and I/O wait say it all. */
export const features = [
  'cpu_idle_pct',
  'cpu_iowait_pct',
  'mem_used_pct',
  'swap_used_pct',
  'net_in_mb_s',
  'net_out_mb_s',
  'back_close_wait',
  'front_close_wait',
  'load_average',
] as const satisfies readonly MetricName[]
export const K = features.length
export const columns = features.map((name) => metricIndex[name])

/** A stretch is so many hourly means. */
export const episodeHours = 6
/** What is told of the time after it. */
export const followedHours = 8
export const unknownCode = 255

const isShare = features.map((name) => metrics[name].max !== undefined)
const highest = 250

/**
 * A mean in one byte: percentages in steps of 0.4 points, what has no bound in steps of 4.6 %, because 100 MB/s
 * against 110 is as near as 10 against 11.
 */
export function toCode(value: number, k: number): number {
  if (Number.isNaN(value)) return unknownCode
  const code = isShare[k]! ? value * 2.5 : 22 * Math.log1p(10 * Math.max(0, value))
  return Math.min(highest, Math.max(0, Math.round(code)))
}

/** A server of which little is known is presumed to move by 6 points or 50 %, as if that had been seen for a day. */
const presumed = isShare.map((share) => (share ? 15 : 9))
const presumedHours = 24
/** A server that never moves differs by 2 points or 15 % all the same. */
const smallest = isShare.map((share) => (share ? 5 : 3))

/** How far each feature usually is from its mean, in codes; `hours` are rows of K codes. */
export function spreads(hours: Uint8Array): Float64Array {
  const out = new Float64Array(K)
  const n = hours.length / K
  for (let k = 0; k < K; k++) {
    let sum = 0
    let known = 0
    for (let h = 0; h < n; h++) {
      const code = hours[h * K + k]!
      if (code === unknownCode) continue
      sum += code
      known++
    }
    const mean = known > 0 ? sum / known : 0
    let away = presumed[k]! * presumedHours
    for (let h = 0; h < n; h++) {
      const code = hours[h * K + k]!
      if (code !== unknownCode) away += Math.abs(code - mean)
    }
    out[k] = Math.max(smallest[k]!, away / (known + presumedHours))
  }
  return out
}

/** The last hours of a server up to now: episodeHours rows of K codes, oldest first. */
export function latestHours(series: Series, now: number): Uint8Array {
  const out = new Uint8Array(episodeHours * K)
  const end = Math.floor(now / minuteMs)
  for (let h = 0; h < episodeHours; h++) {
    const first = end - (episodeHours - h) * 60
    for (let k = 0; k < K; k++) {
      out[h * K + k] = toCode(meanOf(series, { first, column: columns[k]! }), k)
    }
  }
  return out
}

function meanOf(
  series: Series,
  { first, column }: { readonly first: number; readonly column: number },
): number {
  let sum = 0
  let known = 0
  for (let minute = first; minute < first + 60; minute++) {
    const cell = minuteCell(series, minute)
    if (cell < 0 || series.count[cell + column] === 0) continue
    sum += series.mean[cell + column]!
    known++
  }
  return known > 0 ? sum / known : NaN
}
