import {
  ownThresholds,
  thresholdDays,
  thresholdEveryMinutes,
} from '@harbinger/shared/forecast/own-thresholds'
import { worsens } from '@harbinger/shared/limits'
import { metricIndex, networkMetricNames } from '@harbinger/shared/metrics'
import { minuteCell, minuteMs, type Series } from '@harbinger/shared/window/series'
import type { FleetHistory } from '../history/fleet-history.ts'

const dayMs = 24 * 60 * minuteMs

/** Per network metric, the server's own thresholds by what came in the week before `at` (ms). */
export type Thresholds = readonly (readonly number[])[]

export function thresholdsOf(series: Series, at: number): Thresholds {
  const end = Math.floor(at / minuteMs)
  return networkMetricNames.map((name) => {
    const down = worsens(name) === 'down'
    const readings: number[] = []
    const from = end - (thresholdDays * dayMs) / minuteMs
    for (let minute = from; minute < end; minute += thresholdEveryMinutes) {
      const cell = minuteCell(series, minute)
      if (cell < 0) continue
      const c = cell + metricIndex[name]
      if (series.count[c] === 0) continue
      readings.push(down ? series.mean[c]! : series.max[c]!)
    }
    return ownThresholds(name, readings)
  })
}

/** A fleet's thresholds of each day, by what came before it: as a hub has them. */
export function dailyThresholds({ servers }: FleetHistory) {
  let day = NaN
  let found: Thresholds[] = []
  return (index: number, at: number): Thresholds => {
    const now = Math.floor(at / dayMs)
    if (now !== day) {
      day = now
      found = []
    }
    return (found[index] ??= thresholdsOf(servers[index]!.series, now * dayMs))
  }
}
