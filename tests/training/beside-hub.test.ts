import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { connectAsync } from 'mqtt'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { topic } from '@harbinger/shared/topics'
import { systemClock } from '../../hub/src/clock.ts'
import { backfillDemo } from '../../hub/src/commands/demo-history.ts'
import { readConfig } from '../../hub/src/config.ts'
import { openHub } from '../../hub/src/hub.ts'
import { openStores } from '../../hub/src/storage/stores.ts'

const quiet = { info() {}, warn() {}, error() {} }
const minute = 60_000
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'beside-hub-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test(
  'a hub trains on its own history while samples are stored and cycles go on, and the model is a challenger',
  async () => {
    const flags = { 'http.port': 0, 'mqtt.port': 0, 'data.folder': folder }
    const config = readConfig({ env: {}, flags })
    const stores = openStores(folder)
    const { retention } = config
    backfillDemo(stores, { servers: 2, seed: 3 }, { now: Date.now(), retention })
    stores.close()
    const demo = { scenario: () => 'healthy' as const, set: async () => {} }
    const hub = await openHub(config, { clock: systemClock(Date.now), log: quiet, demo })
    await hub.untilForecast()

    const begun = hub.trainings.request({
      ...{ reason: 'operator', detail: 'a test', steps: 2, judgedWindows: 4, seed: 1 },
    })
    expect(begun).toMatchObject({ state: 'running' })
    let isTraining = true
    const trained = hub.trainings.idle().then(() => (isTraining = false))

    const delay = monitorEventLoopDelay({ resolution: 10 })
    delay.enable()
    const client = await connectAsync(`mqtt://127.0.0.1:${hub.mqttPort}`, { clientId: 'ppdb9' })
    let cycles = 0
    let sent = 0
    while (isTraining) {
      const sample = { v: '1.0.0', seq: ++sent, at: Date.now(), cores: 8, m: { mem_used_pct: 50 } }
      // Answered when it is committed.
      await client.publishAsync(topic('ppdb9', 'samples'), JSON.stringify(sample), { qos: 1 })
      await hub.forecastFleet()
      cycles++
    }
    delay.disable()
    await trained
    await client.endAsync()
    const row = hub.trainings.all()[0]!
    const result = hub.trainings.resultOf(row)
    const { counters } = hub.sources.health()
    const models = hub.sources.models()
    await hub.close()

    expect(result.problem).toBeNull()
    expect(row.state).toBe('done')
    expect(cycles).toBeGreaterThan(3)
    expect(counters['cyclesFailed']).toBe(0)
    // Not a bar, which a bench would measure on a quiet machine: training on the hub's own loop would take seconds.
    expect(delay.percentile(50) / 1e6).toBeLessThan(200)
    expect(result.peakMemoryMb!).toBeLessThan(2048)
    // It learnt from simulated servers, as nothing else was there, and says so.
    const made = models.models.find(({ state }) => state === 'challenger')!
    expect(made.trainedOn).toMatchObject([{ simulated: true, servers: 2 }])
    expect(models.challenger!.conditions.length).toBe(6)
    expect(models.serving.id).not.toBe(made.id)
    expect(models.decisions.map(({ kind }) => kind)).toContain('judged')
  },
  20 * minute,
)
