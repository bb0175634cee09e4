import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { metricIndex } from '@harbinger/shared/metrics'
import { topic } from '@harbinger/shared/topics'
import { minuteMs } from '@harbinger/shared/window/series'
import { connectAsync, type MqttClient } from 'mqtt'
import { expect, onTestFinished, test } from 'vitest'
import type { Clock } from '../../hub/src/clock.ts'
import { backfillDemo } from '../../hub/src/commands/demo-history.ts'
import { readConfig } from '../../hub/src/config.ts'
import { openHub } from '../../hub/src/hub.ts'
import { openStores } from '../../hub/src/storage/stores.ts'
import { writeUntrainedModel } from '../devices/untrained-model.ts'

const quiet = { info() {}, warn() {}, error: console.error }
const start = Date.UTC(2026, 2, 4, 12)
const quarterMs = 15 * minuteMs
const weekMs = 7 * 24 * 60 * minuteMs
const count = 6

/** Time that stands still until it is moved. */
function handClock() {
  const ticks: { ms: number; work: (due: number) => void }[] = []
  let at = start
  const clock: Clock = {
    now: () => at,
    every(ms, work) {
      const tick = { ms, work }
      ticks.push(tick)
      return () => ticks.splice(ticks.indexOf(tick), 1)
    },
  }
  const move = (ms: number): void => {
    const before = at
    at += ms
    for (const { ms: every, work } of [...ticks]) {
      if (Math.floor(at / every) > Math.floor(before / every)) work(Math.floor(at / every) * every)
    }
  }
  return { clock, move }
}

/** A fleet with eight days behind it, and what a hub that watched it for two weeks knows of its feed. */
function giveHistory(folder: string) {
  const stores = openStores(folder)
  const { retention } = readConfig({ env: {} })
  backfillDemo(stores, { servers: count, seed: 3 }, { now: start, retention })
  for (let q = 1; q <= 14 * 96; q++) {
    // Within a third of the week before; all six servers are one group.
    const body = { '|net_in_mb_s': [0.3 * Math.sin(q * q), count, 0] }
    stores.drift.putHistory(start / quarterMs - q, JSON.stringify(body))
  }
  const servers = [...stores.servers.all()].map(({ id, name }) => {
    const usual = new Map<number, number>()
    const from = (start - weekMs) / quarterMs
    const seen: { quarter: number; mean: Float32Array; max: Float32Array }[] = []
    stores.rollups.eachQuarter(id, { from: from - 2, to: from + 12 }, (quarter, { mean, max }) => {
      seen.push({ quarter, mean: mean.slice(), max: max.slice() })
      usual.set(quarter, mean[metricIndex.net_in_mb_s]!)
    })
    // The demo's older past has a step every five minutes; a hub that watched has every minute of it.
    for (const { quarter, mean, max } of seen) {
      const known = Uint8Array.from(mean, (value) => (Number.isNaN(value) ? 0 : 15))
      stores.rollups.putQuarter(id, quarter, { mean, max, known })
    }
    const at = (now: number) => usual.get(Math.floor((now - weekMs) / quarterMs))!
    return { name, usual: at }
  })
  stores.close()
  return servers
}

test('a shifted feed is served by the baseline and says so, and the model comes back when it is over', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-drift-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const servers = giveHistory(folder)
  const { clock, move } = handClock()
  const flags = {
    ...{ 'http.port': 0, 'mqtt.port': 0, 'data.folder': folder, 'forecast.everySeconds': 300 },
    'model.folder': writeUntrainedModel(join(folder, 'untrained')),
  }
  const hub = await openHub(readConfig({ env: {}, flags }), { clock, log: quiet })
  onTestFinished(() => hub.close())
  await hub.untilForecast()
  const clients: MqttClient[] = []
  for (const { name } of servers) {
    const url = `mqtt://127.0.0.1:${hub.mqttPort}`
    clients.push(await connectAsync(url, { clientId: name }))
  }
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.endAsync()))
  })

  const get = async (path: string) => (await fetch(`${hub.address}/api/v1${path}`)).json()
  type Made = {
    readonly [name: string]: { readonly source: string; readonly sourceReason: string }
  }
  const forecast = async () => {
    const { metrics } = (await get(`/servers/${servers[0]!.name}/forecast`)) as { metrics: Made }
    return { network: metrics['net_in_mb_s']!, memory: metrics['mem_used_pct']! }
  }
  const drifts = async () => ((await get('/accuracy')) as { drift: { now: unknown[] } }).drift.now
  const health = () => hub.sources.health()
  let seq = 0
  /** Minutes in which every server sends its usual network traffic, so many times. */
  async function pass(minutes: number, times: number): Promise<void> {
    for (let m = 0; m < minutes; m++) {
      seq++
      await Promise.all(
        servers.map(({ name, usual }, i) => {
          const m = { net_in_mb_s: times * usual(clock.now()), mem_used_pct: 50 }
          const sample = { v: '1.0.0', seq, at: clock.now(), cores: 8, m }
          return clients[i]!.publishAsync(topic(name, 'samples'), JSON.stringify(sample), {
            qos: 1,
          })
        }),
      )
      move(minuteMs)
      await hub.untilScored()
      await hub.untilForecast()
    }
  }

  await pass(5, 1)
  expect((await forecast()).network.source).toBe('model:untrained')
  expect(health().problems.join()).not.toContain('drift')

  await pass(40, 30)
  const { network: shifted, memory: steady } = await forecast()
  expect(shifted.source).toMatch(/^baseline:/)
  expect(shifted.sourceReason).toMatch(/^drift: Network in of .* × what it was a week ago/)
  expect(shifted.sourceReason).toContain('the baseline serves until it is over')
  expect(steady.source).toBe('model:untrained')
  expect(health()).toMatchObject({ status: 'degraded' })
  expect(health().problems.join()).toContain('drift (input shift): Network in of')
  expect(await drifts()).toMatchObject([
    { signal: 'input shift', metric: 'net_in_mb_s', until: null },
  ])

  await pass(65, 1)
  expect((await forecast()).network.source).toBe('model:untrained')
  expect(health().problems.join()).not.toContain('drift')
  expect(await drifts()).toEqual([])
}, 600_000)
