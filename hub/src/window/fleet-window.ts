import type { Readings } from '@harbinger/shared/metrics'
import {
  addSample,
  emptySeries,
  minuteCell,
  minutesPerQuarter,
  type Rollup,
  type Series,
} from '@harbinger/shared/window/series'
import { metricNames } from '@harbinger/shared/metrics'
import { estimateInterval } from './interval.ts'

const width = metricNames.length

export type FleetWindow = ReturnType<typeof fleetWindow>

/**
 * What is known lately of every server, in memory: the last 25 hours by the minute, 8 days by the quarter hour.
 * `load` fills an empty series from where it is stored.
 */
export function fleetWindow(load: (serverId: number, series: Series) => void) {
  const byId = new Map<number, Series>()
  const dirtyQuarters = new Map<number, Set<number>>()

  const reload = (serverId: number): Series => {
    const series = emptySeries()
    load(serverId, series)
    series.intervalMinutes = estimateInterval(series)
    byId.set(serverId, series)
    return series
  }
  const seriesOf = (serverId: number): Series => byId.get(serverId) ?? reload(serverId)

  const markQuarter = (serverId: number, minute: number): void => {
    const quarter = Math.floor(minute / minutesPerQuarter)
    const quarters = dirtyQuarters.get(serverId)
    if (quarters) quarters.add(quarter)
    else dirtyQuarters.set(serverId, new Set([quarter]))
  }

  return {
    series: seriesOf,
    /** At start: what is stored of a server; its quarters from the last stored one on are computed again. */
    open(serverId: number, lastQuarter: number | null): void {
      const series = reload(serverId)
      if (series.lastMinute < 0) return
      const oldest = Math.ceil((series.lastMinute - series.minuteCapacity + 1) / minutesPerQuarter)
      for (let q = Math.max(oldest, lastQuarter ?? 0); q <= series.lastQuarter; q++) {
        markQuarter(serverId, q * minutesPerQuarter)
      }
    },
    reload: (serverId: number): void => void reload(serverId),

    /** False when the sample is older than memory reaches. */
    add: (serverId: number, at: number, readings: Readings): boolean =>
      addSample(seriesOf(serverId), at, readings) >= 0,

    minute(serverId: number, minute: number): Rollup | undefined {
      const series = seriesOf(serverId)
      const cell = minuteCell(series, minute)
      if (cell < 0) return undefined
      return {
        mean: series.mean.subarray(cell, cell + width),
        max: series.max.subarray(cell, cell + width),
        count: series.count.subarray(cell, cell + width),
      }
    },

    /** Remembers that the quarter of this minute has to be computed again. */
    markQuarter,

    /** The changed quarters that ended before minute `end`, taken out of the list. */
    takeEndedQuarters(end: number): { readonly serverId: number; readonly quarter: number }[] {
      const ended: { serverId: number; quarter: number }[] = []
      for (const [serverId, quarters] of dirtyQuarters) {
        for (const quarter of quarters) {
          if ((quarter + 1) * minutesPerQuarter > end) continue
          ended.push({ serverId, quarter })
          quarters.delete(quarter)
        }
        if (quarters.size === 0) dirtyQuarters.delete(serverId)
      }
      return ended
    },

    size: (): number => byId.size,
  }
}
