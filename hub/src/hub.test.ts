import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { topic } from '@harbinger/shared/topics'
import type { Clock } from './clock.ts'
import { backfillDemo } from './commands/demo-history.ts'
import { readConfig } from './config.ts'
import { type Hub, openHub } from './hub.ts'
import { openStores } from './storage/stores.ts'

const quiet = { info() {}, warn() {}, error() {} }
const minute = 60_000
const start = Date.UTC(2026, 2, 4, 12)

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
  return {
    clock,
    move(ms: number): void {
      const before = at
      at += ms
      for (const tick of [...ticks]) {
        if (Math.floor(at / tick.ms) > Math.floor(before / tick.ms)) {
          tick.work(Math.floor(at / tick.ms) * tick.ms)
        }
      }
    },
  }
}

let folder: string
let time: ReturnType<typeof handClock>
let hub: Hub
const open = async () => {
  const flags = { 'http.port': 0, 'mqtt.port': 0, 'data.folder': folder }
  hub = await openHub(readConfig({ env: {}, flags }), { clock: time.clock, log: quiet })
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harbinger-hub-'))
  time = handClock()
})
afterEach(async () => {
  await hub.close()
  rmSync(folder, { recursive: true })
})

function giveHistory(servers = 4) {
  const stores = openStores(folder)
  const { retention } = readConfig({ env: {} })
  backfillDemo(stores, { servers, seed: 3 }, { now: time.clock.now(), retention })
  stores.close()
}

const nextChange = () =>
  new Promise<string[]>((resolve) => {
    const stop = hub.sources.onChange(({ servers }) => {
      stop()
      resolve(servers.map(({ name }) => name))
    })
  })

test('forecasts right after the start, from stored history', async () => {
  giveHistory()
  await open()
  await hub.untilForecast()
  const { lastCycle } = hub.sources.health()
  expect(lastCycle).toMatchObject({ servers: 4, forecast: 4, abstained: 0 })
  const [server] = hub.sources.servers()
  expect(server).toMatchObject({ simulated: true, abstained: null })
  expect(hub.sources.forecast(server!.name.toUpperCase())).toMatchObject({
    server: server!.name,
    abstained: null,
    windowEnd: new Date(start).toISOString(),
  })
  expect(hub.sources.fleet()).toMatchObject({ total: 4, simulated: 4 })
})

test('a hub that starts again serves the forecasts it had, as old as they are', async () => {
  giveHistory()
  await open()
  await hub.untilForecast()
  await hub.close()
  time.move(7 * minute)
  await open()
  const [server] = hub.sources.servers()
  expect(hub.sources.forecast(server!.name)!.issuedAt).toBe(new Date(start).toISOString())
  await hub.untilForecast()
  expect(hub.sources.forecast(server!.name)!.issuedAt).toBe(
    new Date(start + 7 * minute).toISOString(),
  )
})

test('a sample shows within a second, and a new server abstains with the reason', async () => {
  await open()
  await hub.untilForecast()
  const client = await connectAsync(`mqtt://127.0.0.1:${hub.mqttPort}`, { clientId: 'ppdb9' })
  const m = { mem_used_pct: 99.5, cpu_idle_pct: 50 }
  const sample = { v: '1.0.0', seq: 1, at: start, cores: 8, m }
  await client.publishAsync(topic('ppdb9', 'samples'), JSON.stringify(sample), { qos: 1 })
  await client.endAsync()
  const changed = nextChange()
  time.move(1000)
  expect(await changed).toEqual(['ppdb9'])
  expect(hub.sources.server('PPDB9')).toMatchObject({
    profile: 'database',
    metrics: { mem_used_pct: { now: 99.5 } },
    lastSeen: new Date(start).toISOString(),
  })
  time.move(minute)
  await hub.untilForecast()
  expect(hub.sources.forecast('ppdb9')!.abstained).toContain('learning')
  expect(hub.sources.health().lastCycle).toMatchObject({ servers: 1, abstained: 1 })
})

test('answers over HTTP', async () => {
  giveHistory(2)
  await open()
  const answer = await fetch(`${hub.address}/api/v1/servers`)
  expect(answer.status).toBe(200)
  expect(((await answer.json()) as { servers: unknown[] }).servers).toHaveLength(2)
})

test('a server is forecast anew when somebody asks for it, before the next cycle', async () => {
  giveHistory()
  await open()
  await hub.untilForecast()
  const [{ name } = { name: '' }, other] = hub.sources.servers()
  time.move(5_000)
  const forecast = async (path: string) =>
    (await (await fetch(`${hub.address}/api/v1/servers/${path}`)).json()) as {
      issuedAt: string
      metrics: object
    }
  const before = await forecast(`${name}/forecast`)
  expect(before.issuedAt).toBe(new Date(start).toISOString())
  const fresh = await forecast(`${name}/forecast?fresh=true`)
  expect(fresh.issuedAt).toBe(new Date(start + 5_000).toISOString())
  expect(Object.keys(fresh.metrics)).toEqual(Object.keys(before.metrics))
  expect(await forecast(`${name}/forecast`)).toEqual(fresh)
  expect((await forecast(`${other!.name}/forecast`)).issuedAt).toBe(before.issuedAt)
})
