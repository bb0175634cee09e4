import {
  gatherThresholds,
  thresholdDays,
  thresholdEveryMinutes,
  type Thresholds,
} from '@harbinger/shared/forecast/own-thresholds'
import { minuteCell, minuteMs, type Series } from '@harbinger/shared/window/series'
import type { FleetHistory } from '../history/fleet-history.ts'

const dayMs = 24 * 60 * minuteMs

/** A server's own thresholds by what came in the week before `at` (ms). */
export function thresholdsOf(series: Series, at: number): Thresholds {
  const end = Math.floor(at / minuteMs)
  const gathered = gatherThresholds()
  const from = end - (thresholdDays * dayMs) / minuteMs
  for (let minute = from; minute < end; minute += thresholdEveryMinutes) {
    const cell = minuteCell(series, minute)
    if (cell >= 0) gathered.add(series, cell)
  }
  return gathered.thresholds()
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
