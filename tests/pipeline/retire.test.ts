import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RetiredServers, ServersPage } from '@harbinger/shared/api'
import { topic } from '@harbinger/shared/topics'
import { connectAsync } from 'mqtt'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Clock } from '../../hub/src/clock.ts'
import { backfillDemo } from '../../hub/src/commands/demo-history.ts'
import { runCommand } from '../../hub/src/commands/program.ts'
import { readConfig } from '../../hub/src/config.ts'
import { type Hub, openHub } from '../../hub/src/hub.ts'
import { retirement } from '../../hub/src/retirement.ts'
import type { Presence } from '../../hub/src/risk/presence.ts'
import { openStores } from '../../hub/src/storage/stores.ts'
import { fakeLog } from '../view/fake-sources.ts'

const quiet = { info() {}, warn() {}, error() {} }
const start = Date.UTC(2026, 2, 4, 12)

let folder: string
let at: number
let ticks: { ms: number; work: (due: number) => void }[]
let hub: Hub
const clock: Clock = {
  now: () => at,
  every(ms, work) {
    const tick = { ms, work }
    ticks.push(tick)
    return () => void ticks.splice(ticks.indexOf(tick), 1)
  },
}
/** In steps that a hub that is awake makes. */
function move(seconds: number): void {
  for (let i = 0; i < seconds; i += 5) {
    const before = at
    at += 5_000
    for (const { ms, work } of [...ticks]) {
      if (Math.floor(at / ms) > Math.floor(before / ms)) work(Math.floor(at / ms) * ms)
    }
  }
}
const open = async () => {
  const flags = { 'http.port': 0, 'mqtt.port': 0, 'data.folder': folder }
  hub = await openHub(readConfig({ env: {}, flags }), { clock, log: quiet })
}

type Answer = Record<string, unknown> & { error?: { code: string; message: string } }
async function ask(path: string, body?: object): Promise<{ status: number; answer: Answer }> {
  const response = await fetch(`${hub.address}/api/v1${path}`, {
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
    headers: body ? { 'content-type': 'application/json' } : {},
  })
  return { status: response.status, answer: (await response.json()) as Answer }
}
const names = async (): Promise<string[]> => {
  const { answer } = await ask('/servers')
  return (answer as unknown as ServersPage).servers.map(({ name }) => name)
}
const retired = async () => (await ask('/retired')).answer as unknown as RetiredServers

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harbinger-retire-'))
  at = start
  ticks = []
  const stores = openStores(folder)
  const { retention } = readConfig({ env: {} })
  backfillDemo(stores, { servers: 3, seed: 3 }, { now: at, retention })
  stores.close()
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a server of a fleet', () => {
  let name: string
  beforeEach(async () => {
    await open()
    await hub.untilForecast()
    name = hub.sources.servers()[0]!.name
  })
  afterEach(() => hub.close())

  /** Their history is one sample a minute; six are missed. */
  const silence = () => move(480)

  test('cannot be retired while it speaks: it would be back at once', async () => {
    const { status, answer } = await ask(`/servers/${name}/retire`, {})
    expect(status).toBe(409)
    expect(answer.error!.message).toContain('Stop its agent or revoke its certificate')
    expect(await names()).toContain(name)
    expect((await ask('/servers/nobody/retire', {})).status).toBe(404)
    expect((await ask(`/servers/${name}/retire`, { reason: 'x'.repeat(201) })).status).toBe(400)
  })

  test('leaves counts, tables, forecasts and metrics at once; its history stays', async () => {
    silence()
    await hub.untilForecast()
    const removed = new Promise<readonly string[]>((resolve) => {
      hub.sources.onChange((change) => change.removed.length > 0 && resolve(change.removed))
    })
    const asked = { reason: 'sold' }
    expect(await ask(`/servers/${name.toUpperCase()}/retire`, asked)).toMatchObject({
      status: 200,
      answer: { name, certificate: 'none', retired: { reason: 'sold' } },
    })
    expect(await names()).not.toContain(name)
    expect((await ask('/fleet')).answer).toMatchObject({ total: 2, byPresence: { offline: 2 } })
    expect((await ask('/health')).answer).toMatchObject({ counters: { servers: 2 } })
    const metrics = await (await fetch(`${hub.address}/metrics`)).text()
    expect(metrics).not.toContain(`server="${name}"`)
    expect((await ask(`/servers/${name}/forecast?fresh=true`)).answer).toMatchObject({
      abstained: 'retired: it left the fleet',
      metrics: {},
    })
    expect((await ask(`/servers/${name}/explanation`)).status).toBe(404)
    move(5)
    expect(await removed).toEqual([name])
    await hub.forecastFleet()
    expect(hub.sources.health().lastCycle).toMatchObject({ servers: 2 })
    expect(await names()).not.toContain(name)

    expect((await ask(`/servers/${name}`)).answer).toMatchObject({ retired: { reason: 'sold' } })
    const samples = (await ask(`/servers/${name}/samples`)).answer as { at?: unknown[] }
    expect(samples.at!.length).toBeGreaterThan(100)
    expect(await retired()).toMatchObject({ afterDays: 30, servers: [{ name }] })
    const audit = (await ask('/audit')).answer as { entries?: unknown[] }
    expect(JSON.stringify(audit)).toContain('/retire')
  })

  test('stays retired over a restart, and is back by itself when it is heard', async () => {
    silence()
    await ask(`/servers/${name}/retire`, {})
    await hub.close()
    await open()
    expect(await names()).not.toContain(name)
    const client = await connectAsync(`mqtt://127.0.0.1:${hub.mqttPort}`, { clientId: name })
    const status = { state: 'offline', reason: 'stopped', at, v: '1.0.0' }
    await client.publishAsync(topic(name, 'status'), JSON.stringify(status), { qos: 1 })
    expect(await names()).not.toContain(name)
    const sample = { v: '1.0.0', seq: 9_000_000_000, at, cores: 4, m: { mem_used_pct: 40 } }
    await client.publishAsync(topic(name, 'samples'), JSON.stringify(sample), { qos: 1 })
    await client.endAsync()
    expect(await names()).toContain(name)
    expect((await retired()).servers).toEqual([])
    expect(JSON.stringify((await ask('/audit')).answer)).toContain('server came back')
  })

  test('is taken back by an operator', async () => {
    silence()
    await ask(`/servers/${name}/retire`, {})
    expect(await ask(`/servers/${name}/bring-back`, {})).toMatchObject({ answer: { name } })
    expect(await names()).toContain(name)
    expect((await ask(`/servers/${name}`)).answer).toMatchObject({
      state: 'offline',
      retired: null,
    })
    expect((await ask(`/servers/${name}/bring-back`, {})).status).toBe(404)
  })

  test('is retired and listed on the command line, through the hub that runs', async () => {
    silence()
    const harbinger = async (...args: string[]): Promise<string> => {
      let out = ''
      const write = (chunk: unknown) => ((out += String(chunk)), true)
      const spy = vi.spyOn(process.stdout, 'write').mockImplementation(write)
      try {
        await runCommand(['server', ...args, '--data', folder], clock)
      } finally {
        spy.mockRestore()
      }
      return out
    }
    expect(await harbinger('retire', name, '--reason', 'sold')).toBe(`${name} is retired\n`)
    expect(await names()).not.toContain(name)
    expect(await harbinger('list')).toMatch(new RegExp(`^${name} +retired +at .*: sold$`, 'm'))
    expect(await harbinger('bring-back', name)).toBe(`${name} is back in the fleet\n`)
    expect(await names()).toContain(name)
    await hub.close()
    // No hub runs: the command line works on its database.
    expect(await harbinger('retire', name)).toBe(`${name} is retired\n`)
    expect(await harbinger('list')).toMatch(new RegExp(`^${name} +retired`, 'm'))
    await expect(harbinger('retire', 'nobody')).rejects.toThrow('no server is named nobody')
    await open()
    expect(await names()).not.toContain(name)
  })
})

test('who is offline for longer than is set is retired by the hub, once it has listened for an hour', () => {
  const stores = openStores(folder)
  const [first, second, third] = [...stores.servers.all()]
  const state = new Map<number, Presence['state']>([[second!.id, 'late']])
  const audit = vi.fn()
  let hearingSince: number | undefined = at
  const parts = {
    ...{ servers: stores.servers, agents: stores.agents, audit, log: fakeLog().log },
    now: () => at,
    hearingSince: () => hearingSince,
    presence: ({ id }: { readonly id: number }): Presence => ({
      ...{ state: state.get(id) ?? 'offline', why: 'silent', since: start },
    }),
    onChange() {},
  }
  const retiring = retirement({ ...parts, afterDays: 30 })
  const days = (n: number) => n * 86_400_000
  const left = () => retiring.list().servers.map(({ name }) => name)

  at = start + days(31)
  hearingSince = at - 1_000
  retiring.retireSilent()
  hearingSince = undefined
  retiring.retireSilent()
  retirement({ ...parts, afterDays: 0 }).retireSilent()
  expect(left()).toEqual([])

  hearingSince = at - 3_600_000
  third!.lastArrivedAt = start + days(2)
  retiring.retireSilent()
  expect(left()).toEqual([first!.name])
  expect(retiring.list().servers[0]!.retired).toMatchObject({
    by: 'the hub',
    reason: 'offline for more than 30 days',
  })
  expect(audit).toHaveBeenCalledOnce()

  // Whoever is taken back has its time again.
  retiring.bringBack(first!.name)
  retiring.retireSilent()
  expect(left()).toEqual([])
  stores.close()
})
