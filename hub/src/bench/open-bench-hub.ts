import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../clock.ts'
import { backfillDemo, type DemoFleet } from '../commands/demo-history.ts'
import { readConfig } from '../config.ts'
import { openHub } from '../hub.ts'
import { openStores } from '../storage/stores.ts'

const quiet = { info() {}, warn() {}, error: console.error }

/** A whole hub on free ports and a folder of its own, with history when a fleet is given. */
export async function openBenchHub({
  fleet,
  forecastEverySeconds = 3600,
  now,
}: {
  readonly fleet?: DemoFleet
  readonly forecastEverySeconds?: number
  readonly now: () => number
}) {
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-bench-'))
  const config = readConfig({
    env: {},
    flags: {
      ...{ 'http.port': 0, 'mqtt.port': 0, 'data.folder': folder },
      'forecast.everySeconds': forecastEverySeconds,
    },
  })
  if (fleet) {
    const stores = openStores(folder)
    backfillDemo(stores, fleet, { now: now(), retention: config.retention })
    stores.close()
  }
  const began = performance.now()
  const hub = await openHub(config, { clock: systemClock(now), log: quiet })
  return {
    hub,
    startMs: performance.now() - began,
    async close(): Promise<void> {
      await hub.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
