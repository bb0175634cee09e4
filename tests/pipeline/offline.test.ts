import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ServerDetail } from '@harbinger/shared/api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noNamespace, openNamespace } from './namespace.ts'
import {
  freePort,
  noMosquitto,
  type Running,
  startAgent,
  startHub,
  startMosquitto,
  untilTrue,
} from './processes.ts'

/** docs/operate.md says how long it takes. */
const bars = { crash: 45, cable: 60 }

const noCable = noNamespace()
if (noCable) test(`a pulled cable is not tested: ${noCable}`, ({ skip }) => skip(noCable))
const noBroker = noCable ?? noMosquitto()
if (noBroker) {
  test(`a pulled cable behind a broker is not tested: ${noBroker}`, ({ skip }) => skip(noBroker))
}

type Hub = Awaited<ReturnType<typeof startHub>>
const server = async (hub: Hub, name: string): Promise<ServerDetail> =>
  (await hub.get(`/servers/${name}`)) as unknown as ServerDetail
const presence = async (hub: Hub, name: string) => (await server(hub, name)).presence

/** Seconds until a server is late and until it is offline, and why it is. */
async function secondsUntilOffline(hub: Hub, name: string) {
  const begin = performance.now()
  let late: number | undefined
  for (;;) {
    const seconds = Math.round((performance.now() - begin) / 100) / 10
    const now = await presence(hub, name)
    if (now.state === 'late') late ??= seconds
    if (now.state === 'offline') return { late, offline: seconds, why: now.why }
    if (seconds > 100) throw new Error(`${name} is ${now.state} after 100 s`)
    await pause(250)
  }
}

/** What is learnt when agents crash, stop, are started anew and lose their cable, all at one moment. */
describe('agents that go away', () => {
  let folder: string
  let cable: ReturnType<typeof openNamespace> | undefined
  let hub: Hub
  let behind: Hub | undefined
  const running: Running[] = []
  const started = <Process extends Running>(process: Process): Process => {
    running.push(process)
    return process
  }
  type Seconds = Awaited<ReturnType<typeof secondsUntilOffline>>
  const gone: Record<string, Promise<Seconds>> = {}
  /** Of the one that is started anew. */
  const seen = new Set<string>()
  let back: Promise<void>

  function agent(name: string, url: string, interval = 10, within: readonly string[] = []) {
    const env = { HARBINGER_SERVER: name, HARBINGER_INTERVAL_SECONDS: String(interval) }
    return started(startAgent(mkdtempSync(join(folder, `${name}-`)), url, env, within))
  }
  /** One that samples every 300 s has said only that it is there. */
  const isHeard = (by: Hub, name: string) =>
    untilTrue(`${name} is heard`, async () => {
      const found = await server(by, name)
      return found.agent?.status === 'online' && (name === 'every300' || found.lastSeen !== null)
    })

  async function startBehind(address: string): Promise<{ hub: Hub; url: string }> {
    const port = await freePort()
    const listeners = [`listener ${port} 127.0.0.1`, `listener ${port} ${address}`]
    const lines = [...listeners, 'allow_anonymous true', 'log_type error']
    started(await startMosquitto(folder, port, lines))
    const env = { HARBINGER_BROKER_URL: `mqtt://127.0.0.1:${port}` }
    const hub = started(await startHub(join(folder, 'behind'), { env }))
    await untilTrue('the hub is connected', async () => {
      const { broker } = (await hub.get('/health')) as { broker: { connected: boolean } }
      return broker.connected
    })
    return { hub, url: `mqtt://${address}:${port}` }
  }

  const address = (): string => cable?.address ?? '127.0.0.1'
  const hubEnv = () => ({
    HARBINGER_MQTT_HOST: address(),
    HARBINGER_MQTT_ALLOW_PLAIN: 'yes',
  })

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'harbinger-offline-'))
    cable = noCable ? undefined : openNamespace()
    hub = started(await startHub(join(folder, 'own'), { env: hubEnv() }))
    const url = `mqtt://${address()}:${hub.mqttPort}`
    const there: [Hub, string][] = [[hub, url]]
    if (cable && !noBroker) {
      const found = await startBehind(cable.address)
      behind = found.hub
      there.push([behind, found.url])
    }
    const [crashed, stopped, restarted] = ['crashed', 'stopped', 'restarted'].map((name) =>
      agent(name, url),
    )
    for (const name of ['crashed', 'stopped', 'restarted']) await isHeard(hub, name)
    for (const [by, url] of cable ? there : []) {
      agent('every10', url, 10, cable!.within)
      agent('every300', url, 300, cable!.within)
      await isHeard(by, 'every10')
      await isHeard(by, 'every300')
    }

    const crashedBehind = behind && agent('crashed', there[1]![1])
    if (behind) await isHeard(behind, 'crashed')

    await Promise.all([
      crashedBehind?.end('SIGKILL'),
      ...[crashed!.end('SIGKILL'), stopped!.end('SIGTERM'), restarted!.end('SIGKILL')],
    ])
    cable?.pullCable()
    for (const name of ['crashed', 'stopped']) gone[name] = secondsUntilOffline(hub, name)
    if (behind) gone['crashed, Mosquitto'] = secondsUntilOffline(behind, 'crashed')
    for (const name of cable ? ['every10', 'every300'] : []) {
      gone[name] = secondsUntilOffline(hub, name)
      if (behind) gone[`${name}, Mosquitto`] = secondsUntilOffline(behind, name)
    }
    for (const seconds of Object.values(gone)) seconds.catch(() => {})
    back = (async () => {
      await pause(5_000)
      agent('restarted', url)
      // As long as it takes until one that does not come back is offline, and some.
      const until = performance.now() + 40_000
      while (performance.now() < until) {
        seen.add((await presence(hub, 'restarted')).state)
        await pause(250)
      }
    })()
  }, 240_000)
  afterAll(async () => {
    await Promise.all(running.map((process) => process.end()))
    cable?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test(
    'a crash is known within 45 s; the last values stay, and nothing old is of now',
    { timeout: 120_000 },
    async () => {
      const crash = await gone.crashed!
      console.info('seconds after kill -9', crash)
      expect(crash.why).toBe('lost')
      expect(crash.offline).toBeLessThan(bars.crash)
      const found = await server(hub, 'crashed')
      expect(found).toMatchObject({ state: 'offline', severity: 'unknown', risk: null })
      expect(found.cpuUsed).toBeNull()
      expect(found.metrics.mem_used_pct).toMatchObject({ now: null, in30Minutes: null })
      expect(found.metrics.mem_used_pct!.last).toBeGreaterThan(0)
      expect(found.lastSeen).not.toBeNull()
      expect(found.sentence).toMatch(/^Offline: its connection was lost; not heard for \d+ s\./)
      const forecast = await hub.get('/servers/crashed/forecast')
      expect(forecast).toMatchObject({ abstained: expect.stringContaining('offline'), metrics: {} })
      const explanation = await hub.get('/servers/crashed/explanation')
      expect(explanation).toMatchObject({ abstained: expect.stringContaining('offline') })
    },
  )

  test.skipIf(noBroker !== undefined)(
    'a crash is known within 45 s behind an external broker, too',
    { timeout: 120_000 },
    async () => {
      const crash = await gone['crashed, Mosquitto']!
      console.info('seconds after kill -9, Mosquitto', crash)
      expect(crash.why).toBe('lost')
      expect(crash.offline).toBeLessThan(bars.crash)
    },
  )

  test('an agent that was stopped is offline with that reason', { timeout: 120_000 }, async () => {
    const stop = await gone.stopped!
    console.info('seconds after a stop', stop)
    expect(stop.why).toBe('stopped')
    expect(stop.offline).toBeLessThan(bars.crash)
  })

  test('an agent that is started anew is never offline', { timeout: 120_000 }, async () => {
    await back
    expect([...seen]).not.toContain('offline')
    expect(await presence(hub, 'restarted')).toMatchObject({ state: 'heard' })
  })

  test.skipIf(noCable !== undefined)(
    'a cable that is pulled is known within 60 s, however seldom a server samples, whichever broker hears it',
    { timeout: 120_000 },
    async () => {
      for (const [name, pulled] of Object.entries(gone)) {
        if (!name.startsWith('every')) continue
        const seconds = await pulled
        console.info(`seconds after the cable was pulled: ${name}`, seconds)
        expect(seconds.offline, name).toBeLessThan(bars.cable)
        // Of the one that samples every 300 s only its connection tells.
        if (name.startsWith('every10')) expect(seconds.late, name).toBeLessThan(27)
      }
    },
  )

  test(
    'a hub that is killed and comes back says nobody is offline who was not',
    { timeout: 120_000 },
    async () => {
      await back
      await hub.end('SIGKILL')
      const { mqttPort } = hub
      const again = started(await startHub(join(folder, 'own'), { mqttPort, env: hubEnv() }))
      const states = new Set<string>()
      const before = (await server(again, 'restarted')).lastSeen
      await untilTrue('it is heard again', async () => {
        const { presence, lastSeen } = await server(again, 'restarted')
        states.add(presence.state)
        return lastSeen !== before && presence.state === 'heard'
      })
      expect([...states]).not.toContain('offline')
    },
  )
})
