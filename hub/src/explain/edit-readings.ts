import type { WhatIfChange } from '@harbinger/shared/explanation'
import {
  cpuParts,
  metricIndex,
  metricNames,
  metrics,
  type Readings,
} from '@harbinger/shared/metrics'
import {
  closeQuarter,
  minuteCell,
  minutesPerQuarter,
  type Series,
} from '@harbinger/shared/window/series'

/** One instant: mean and max of each of the 14 metrics, and which of them were measured. */
type Cell = {
  readonly mean: Float32Array
  readonly max: Float32Array
  readonly count: { readonly [column: number]: number }
}

const width = metricNames.length
const parts = cpuParts.map((name) => metricIndex[name])
const idle = metricIndex.cpu_idle_pct
const busy = parts.filter((column) => column !== idle)

/** The value a change makes of another, within what the metric can be. */
function changed({ metric, multiply, add, set }: WhatIfChange, value: number): number {
  const made = set ?? (multiply === undefined ? value + (add ?? 0) : value * multiply)
  return Math.min(metrics[metric].max ?? Infinity, Math.max(0, made))
}

/**
 * Applies changes to one instant. The CPU parts stay 100 % together: what a part gives up becomes idle, what it takes
 * comes from idle, and when idle is used up the changed parts get what is left; when idle itself is changed, the other
 * parts share the rest as they did before. A metric that was not measured stays unknown.
 */
export function editCell({ mean, max, count }: Cell, changes: readonly WhatIfChange[]): void {
  const was = Float64Array.from(mean)
  const touched: number[] = []
  for (const change of changes) {
    const column = metricIndex[change.metric]
    if (!count[column]) continue
    mean[column] = changed(change, mean[column]!)
    max[column] = Math.max(mean[column]!, changed(change, max[column]!))
    if (parts.includes(column)) touched.push(column)
  }
  if (touched.length === 0 || parts.some((column) => !count[column])) return
  if (touched.includes(idle)) shareTheRest(mean, was)
  else giveToIdle(mean, touched)
  for (const column of parts) {
    if (changes.some(({ metric }) => metricIndex[metric] === column)) continue
    // The highest reading of the minute moves along with its mean.
    max[column] = max[column]! + mean[column]! - was[column]!
  }
  for (const column of parts) {
    max[column] = Math.min(100, Math.max(mean[column]!, max[column]!))
  }
}

function giveToIdle(mean: Float32Array, touched: readonly number[]): void {
  const sum = (columns: readonly number[]) => columns.reduce((all, c) => all + mean[c]!, 0)
  const room = Math.max(0, 100 - sum(busy.filter((column) => !touched.includes(column))))
  const wanted = sum(touched)
  if (wanted > room) for (const column of touched) mean[column] = (mean[column]! * room) / wanted
  mean[idle] = Math.max(0, 100 - sum(busy))
}

function shareTheRest(mean: Float32Array, was: Float64Array): void {
  const rest = 100 - mean[idle]!
  const before = busy.reduce((all, column) => all + was[column]!, 0)
  for (const column of busy) {
    const share = before > 0 ? was[column]! / before : column === busy[0] ? 1 : 0
    mean[column] = rest * share
  }
}

/** A copy of a series whose last `minutes` before `now` have the changes; the quarters made of them too. */
export function editSeries(
  series: Series,
  {
    changes,
    minutes,
    end,
  }: {
    readonly changes: readonly WhatIfChange[]
    readonly minutes: number
    /** The minute after the last. */
    readonly end: number
  },
): Series {
  const copy: Series = {
    ...series,
    mean: series.mean.slice(),
    max: series.max.slice(),
    quarterMean: series.quarterMean.slice(),
    quarterKnown: series.quarterKnown.slice(),
  }
  for (let minute = end - minutes; minute < end; minute++) {
    const at = minuteCell(copy, minute)
    if (at < 0) continue
    editCell(
      {
        mean: copy.mean.subarray(at, at + width),
        max: copy.max.subarray(at, at + width),
        count: copy.count.subarray(at, at + width),
      },
      changes,
    )
  }
  const lastEnded = Math.floor(end / minutesPerQuarter) - 1
  for (let q = Math.floor((end - minutes) / minutesPerQuarter); q <= lastEnded; q++) {
    closeQuarter(copy, q)
  }
  return copy
}

/** The newest readings with the same changes: risk is about now as well. */
export function editReadings(readings: Readings, changes: readonly WhatIfChange[]): Readings {
  const mean = Float32Array.from(metricNames, (name) => readings[name] ?? NaN)
  const count = metricNames.map((name) => (readings[name] === undefined ? 0 : 1))
  editCell({ mean, max: mean.slice(), count }, changes)
  const changedNames = metricNames.filter(
    (name, i) => count[i] === 1 && mean[i] !== Math.fround(readings[name]!),
  )
  return {
    ...readings,
    ...Object.fromEntries(changedNames.map((name) => [name, mean[metricIndex[name]]!])),
  }
}

/** The metrics of which nothing was measured in the minutes to be changed. */
export function unmeasured(
  series: Series,
  {
    changes,
    minutes,
    end,
  }: {
    readonly changes: readonly WhatIfChange[]
    readonly minutes: number
    readonly end: number
  },
): WhatIfChange[] {
  return changes.filter(({ metric }) => {
    for (let minute = end - minutes; minute < end; minute++) {
      const at = minuteCell(series, minute)
      if (at >= 0 && series.count[at + metricIndex[metric]]! > 0) return false
    }
    return true
  })
}
