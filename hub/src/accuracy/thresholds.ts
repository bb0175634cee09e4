import {
  ownThresholds,
  thresholdDays,
  thresholdEveryMinutes,
} from '@harbinger/shared/forecast/own-thresholds'
import { worsens } from '@harbinger/shared/limits'
import { metricIndex, networkMetricNames } from '@harbinger/shared/metrics'
import { minuteMs } from '@harbinger/shared/window/series'
import type { HubStores } from '../storage/stores.ts'
import { nextTurn } from '../window/slices.ts'

const dayMinutes = 24 * 60

type Thresholds = readonly (readonly number[])[]

/**
 * Per network metric the thresholds that a server reaches now and then, by the stored minutes of the week before. Read
 * once a day and server; each of the seven days is some 3 ms of work, and the event loop has its turn in between.
 */
export function thresholdKeeper(rollups: Pick<HubStores['rollups'], 'eachMinute'>) {
  const kept = new Map<number, { readonly minute: number; readonly thresholds: Thresholds }>()

  return async (serverId: number, at: number): Promise<Thresholds> => {
    const minute = Math.floor(at / minuteMs)
    const known = kept.get(serverId)
    if (known && minute - known.minute < dayMinutes) return known.thresholds
    const readings = networkMetricNames.map(() => [] as number[])
    for (let day = 1; day <= thresholdDays; day++) {
      const to = minute - (day - 1) * dayMinutes
      readDay(rollups, serverId, { to, readings })
      await nextTurn()
    }
    const thresholds = networkMetricNames.map((name, v) => ownThresholds(name, readings[v]!))
    kept.set(serverId, { minute, thresholds })
    return thresholds
  }
}

function readDay(
  rollups: Pick<HubStores['rollups'], 'eachMinute'>,
  serverId: number,
  { to, readings }: { readonly to: number; readonly readings: readonly number[][] },
): void {
  let before = NaN
  rollups.eachMinute(serverId, { from: to - dayMinutes, to }, (minute, { mean, max, count }) => {
    const slot = Math.floor(minute / thresholdEveryMinutes)
    if (slot === before) return
    before = slot
    for (const [v, name] of networkMetricNames.entries()) {
      const c = metricIndex[name]
      if (count[c]! > 0) readings[v]!.push(worsens(name) === 'down' ? mean[c]! : max[c]!)
    }
  })
}
