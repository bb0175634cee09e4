import { simulatedFleet } from '@harbinger/model-training/simulator/fleet'
import { metricNames } from '@harbinger/shared/metrics'
import { minuteMs } from '@harbinger/shared/window/series'
import { historyImporter } from '../storage/import-history.ts'
import type { Retention } from '../storage/retention.ts'
import type { HubStores } from '../storage/stores.ts'

const dayMs = 24 * 60 * minuteMs
const historyMs = 8 * dayMs
/** What the window shows minute by minute. */
const fineMs = 25 * 60 * minuteMs
/**
 * The demo begins healthy, and its servers have been so for a while: a fault that is undone at the moment the history
 * ends would leave forecasts of a trouble that never comes.
 */
const healthyMs = 4 * 60 * minuteMs

export type DemoFleet = { readonly servers: number; readonly seed: number }

/**
 * Gives the simulated fleet a past: eight days, the last 25 hours by the minute, the days before in steps of five;
 * or what is missing since the demo last ran. Calls back with the share done.
 */
export function backfillDemo(
  stores: Omit<HubStores, 'close'>,
  { servers, seed }: DemoFleet,
  {
    now,
    retention,
    onProgress,
  }: {
    readonly now: number
    readonly retention: Retention
    readonly onProgress?: (share: number) => void
  },
): { readonly rows: number; readonly servers: number } {
  const end = Math.floor(now / minuteMs) * minuteMs
  const fleet = simulatedFleet({ seed, servers, startAt: end - historyMs })
  fleet.setScenario('healthy', end - healthyMs)
  const importer = historyImporter(stores, { now, retention })
  const known = fleet.servers.map(({ name }) => stores.servers.find(name)?.newestAt ?? -1)
  const first = Math.max(end - historyMs, Math.min(...known) + 1)
  const values = new Float32Array(metricNames.length)
  try {
    for (const { name, inventory } of fleet.servers) importer.describe(name, inventory)
    for (let at = firstStep(first, end); at < end; at += stepAt(at, end)) {
      for (const [i, { name, cores }] of fleet.servers.entries()) {
        if (at <= known[i]!) continue
        const readings = fleet.readingsAt(i, at)
        if (!readings) continue
        for (const [k, metric] of metricNames.entries()) values[k] = readings[metric] ?? NaN
        importer.add({ server: name, at, values, cores })
      }
      onProgress?.((at - first) / (end - first))
    }
    return importer.finish()
  } catch (error) {
    importer.abandon()
    throw error
  }
}

const stepAt = (at: number, end: number): number => (at >= end - fineMs ? minuteMs : 5 * minuteMs)

/** Steps lie on whole multiples, so that a gap is filled where the steps before it ended. */
function firstStep(first: number, end: number): number {
  const step = stepAt(first, end)
  return Math.ceil(first / step) * step
}
