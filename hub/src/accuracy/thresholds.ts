import {
  gatherThresholds,
  thresholdDays,
  thresholdEveryMinutes,
  type Thresholds,
} from '@harbinger/shared/forecast/own-thresholds'
import { minuteMs } from '@harbinger/shared/window/series'
import type { HubStores } from '../storage/stores.ts'
import { nextTurn } from '../window/slices.ts'

const dayMinutes = 24 * 60

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
    const gathered = gatherThresholds()
    for (let day = 1; day <= thresholdDays; day++) {
      const to = minute - (day - 1) * dayMinutes
      let before = NaN
      rollups.eachMinute(serverId, { from: to - dayMinutes, to }, (at, rollup) => {
        const slot = Math.floor(at / thresholdEveryMinutes)
        if (slot !== before) gathered.add(rollup)
        before = slot
      })
      await nextTurn()
    }
    const thresholds = gathered.thresholds()
    kept.set(serverId, { minute, thresholds })
    return thresholds
  }
}
