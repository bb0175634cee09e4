import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemClock } from '../clock.ts'
import type { DemoFleet } from '../commands/demo-history.ts'
import { readConfig } from '../config.ts'
import { openHub } from '../hub.ts'

const prepareHistory = fileURLToPath(new URL('./prepare-history.ts', import.meta.url))
const quiet = { info() {}, warn() {}, error: console.error }

/** A whole hub on free ports and a folder of its own, with history when a fleet is given. */
export async function openBenchHub({
  fleet,
  forecastEverySeconds = 3600,
  device = 'cpu',
  prepared,
  now,
}: {
  readonly fleet?: DemoFleet
  /** A data folder that prepare-history.ts gave the fleet's past a moment ago; default: one is made. */
  readonly prepared?: string | undefined
  readonly forecastEverySeconds?: number
  /** As forecast.device; default cpu. */
  readonly device?: string
  readonly now: () => number
}) {
  const folder = prepared ?? mkdtempSync(join(tmpdir(), 'harbinger-bench-'))
  const config = readConfig({
    env: {},
    flags: {
      ...{ 'http.port': 0, 'mqtt.port': 0, 'data.folder': folder },
      ...{ 'forecast.everySeconds': forecastEverySeconds, 'forecast.device': device },
    },
  })
  if (fleet && prepared === undefined) {
    const { servers, seed } = fleet
    const words = [prepareHistory, folder, servers, seed, now()].map(String)
    await promisify(execFile)(process.execPath, words)
  }
  const began = performance.now()
  const hub = await openHub(config, { clock: systemClock(now), log: quiet })
  return {
    hub,
    startMs: performance.now() - began,
    async close(): Promise<void> {
      await hub.close()
      if (prepared === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}
