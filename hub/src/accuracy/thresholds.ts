import {
  ownThresholds,
  thresholdDays,
  thresholdEveryMinutes,
} from '@harbinger/shared/forecast/own-thresholds'
import { worsens } from '@harbinger/shared/limits'
import { metricIndex, networkMetricNames } from '@harbinger/shared/metrics'
import { minuteMs } from '@harbinger/shared/window/series'
import type { HubStores } from '../storage/stores.ts'

const dayMinutes = 24 * 60

type Thresholds = readonly (readonly number[])[]

/**
 * Per network metric the thresholds that a server reaches now and then, by the stored minutes of the week before. Read
 * once a day and server, which takes some 10 ms.
 */
export function thresholdKeeper(rollups: Pick<HubStores['rollups'], 'eachMinute'>) {
  const kept = new Map<number, { readonly minute: number; readonly thresholds: Thresholds }>()

  return (serverId: number, at: number): Thresholds => {
    const minute = Math.floor(at / minuteMs)
    const known = kept.get(serverId)
    if (known && minute - known.minute < dayMinutes) return known.thresholds
    const thresholds = read(rollups, serverId, minute)
    kept.set(serverId, { minute, thresholds })
    return thresholds
  }
}

function read(
  rollups: Pick<HubStores['rollups'], 'eachMinute'>,
  serverId: number,
  end: number,
): Thresholds {
  const readings = networkMetricNames.map(() => [] as number[])
  let before = NaN
  rollups.eachMinute(
    serverId,
    { from: end - thresholdDays * dayMinutes, to: end },
    (minute, { mean, max, count }) => {
      const slot = Math.floor(minute / thresholdEveryMinutes)
      if (slot === before) return
      before = slot
      for (const [v, name] of networkMetricNames.entries()) {
        const c = metricIndex[name]
        if (count[c]! > 0) readings[v]!.push(worsens(name) === 'down' ? mean[c]! : max[c]!)
      }
    },
  )
  return networkMetricNames.map((name, v) => ownThresholds(name, readings[v]!))
}
