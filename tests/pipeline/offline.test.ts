import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ServerDetail } from '@harbinger/shared/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
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

/** docs/operate.md says these seconds; here a slow machine may add a few. */
const bars = { crash: 45, cable: 60 }

let folder: string
let cable: ReturnType<typeof openNamespace> | undefined
const running: Running[] = []
const started = <Process extends Running>(process: Process): Process => {
  running.push(process)
  return process
}
type Hub = Awaited<ReturnType<typeof startHub>>
const server = async (hub: Hub, name: string): Promise<ServerDetail> =>
  (await hub.get(`/servers/${name}`)) as unknown as ServerDetail
const presence = async (hub: Hub, name: string) => (await server(hub, name)).presence
const isHeard = (hub: Hub, name: string) =>
  untilTrue(`${name} is heard`, async () => {
    const { presence, lastSeen } = await server(hub, name)
    return presence?.state === 'heard' && lastSeen !== null
  })

/** Seconds until a server is late and until it is offline, and what it is then. */
async function secondsUntilOffline(hub: Hub, name: string) {
  const begin = performance.now()
  let late: number | undefined
  for (;;) {
    const seconds = (performance.now() - begin) / 1000
    const now = await presence(hub, name)
    if (now.state === 'late') late ??= seconds
    if (now.state === 'offline') return { late, offline: seconds, why: now.why }
    if (seconds > 100) throw new Error(`${name} is ${now.state} after 100 s`)
    await pause(250)
  }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'harbinger-offline-'))
})
afterAll(async () => {
  await Promise.all(running.map((process) => process.end()))
  cable?.close()
  rmSync(folder, { recursive: true, force: true })
})

test.concurrent(
  'an agent that crashes is offline within 45 s and its last values stay; one that is started anew never is',
  { timeout: 120_000 },
  async () => {
    const hub = started(await startHub(join(folder, 'crash')))
    const url = `mqtt://127.0.0.1:${hub.mqttPort}`
    const agent = (name: string, state = name) =>
      started(startAgent(mkdtempSync(join(folder, state)), url, { HARBINGER_SERVER: name }))
    const [crashed, stopped, restarted] = [agent('crashed'), agent('stopped'), agent('restarted')]
    for (const name of ['crashed', 'stopped', 'restarted']) await isHeard(hub, name)

    await Promise.all([crashed.end('SIGKILL'), stopped.end('SIGTERM'), restarted.end('SIGKILL')])
    const seen = new Set<string>()
    let watching = true
    const watch = (async () => {
      while (watching) {
        seen.add((await presence(hub, 'restarted')).state)
        await pause(250)
      }
    })()
    const back = pause(5_000).then(() => agent('restarted', 'again'))
    const [crash, stop] = await Promise.all([
      secondsUntilOffline(hub, 'crashed'),
      secondsUntilOffline(hub, 'stopped'),
      back,
    ])
    await isHeard(hub, 'restarted')
    watching = false
    await watch

    console.info('seconds after kill -9', crash, 'after a stop', stop)
    expect(crash).toMatchObject({ why: 'lost' })
    expect(crash.offline).toBeLessThan(bars.crash)
    expect(stop).toMatchObject({ why: 'stopped' })
    expect([...seen]).not.toContain('offline')
    const gone = await server(hub, 'crashed')
    expect(gone).toMatchObject({ state: 'offline', severity: 'unknown', risk: null, cpuUsed: null })
    expect(gone.metrics.mem_used_pct).toMatchObject({ now: null, in30Minutes: null })
    expect(gone.metrics.mem_used_pct!.last).toBeGreaterThan(0)
    expect(gone.lastSeen).not.toBeNull()
    expect(gone.sentence).toMatch(/^Offline: its connection was lost; not heard for \d+ s\./)
    const forecast = await hub.get('/servers/crashed/forecast')
    expect(forecast).toMatchObject({ abstained: expect.stringContaining('offline'), metrics: {} })
    expect(await hub.get('/fleet')).toMatchObject({ byPresence: { offline: 2, heard: 1 } })
  },
)

test.concurrent(
  'a hub that is killed and comes back says nobody is offline',
  { timeout: 120_000 },
  async () => {
    const data = join(folder, 'restart')
    const first = started(await startHub(data))
    const url = `mqtt://127.0.0.1:${first.mqttPort}`
    const names = Array.from({ length: 6 }, (_, i) => `web${i}`)
    for (const name of names) {
      started(startAgent(mkdtempSync(join(folder, name)), url, { HARBINGER_SERVER: name }))
    }
    for (const name of names) await isHeard(first, name)
    await first.end('SIGKILL')
    const second = started(await startHub(data, { mqttPort: first.mqttPort }))
    const seen = new Set<string>()
    await untilTrue('all are heard again', async () => {
      const states = await Promise.all(names.map(async (name) => presence(second, name)))
      for (const { state } of states) seen.add(state)
      return states.every(({ state }) => state === 'heard')
    })
    expect([...seen]).not.toContain('offline')
  },
)

const reason = noNamespace()
if (reason) test(`a pulled cable is not tested: ${reason}`, ({ skip }) => skip(reason))

test
  .skipIf(reason !== undefined)
  .concurrent(
    'a cable that is pulled is known within 60 s, however seldom a server samples, whichever broker hears it',
    { timeout: 180_000 },
    async () => {
      const there = openNamespace()
      cable = there
      const open = { HARBINGER_MQTT_HOST: there.address, HARBINGER_MQTT_ALLOW_PLAIN: 'yes' }
      const own = started(await startHub(join(folder, 'cable'), { env: open }))
      const hubs: { hub: Hub; url: string; of: string }[] = [
        { hub: own, url: `mqtt://${there.address}:${own.mqttPort}`, of: 'the embedded broker' },
      ]
      const without = noMosquitto()
      if (without) console.warn(`Mosquitto is left out: ${without}`)
      else {
        const port = await freePort()
        started(
          await startMosquitto(folder, port, [
            ...[`listener ${port} 127.0.0.1`, `listener ${port} ${there.address}`],
            ...['allow_anonymous true', 'log_type error'],
          ]),
        )
        const env = { HARBINGER_BROKER_URL: `mqtt://127.0.0.1:${port}` }
        const hub = started(await startHub(join(folder, 'behind'), { env }))
        await untilTrue('the hub is connected', async () => {
          const { broker } = (await hub.get('/health')) as { broker: { connected: boolean } }
          return broker.connected
        })
        hubs.push({ hub, url: `mqtt://${there.address}:${port}`, of: 'Mosquitto' })
      }
      for (const { hub, url } of hubs) {
        for (const interval of ['10', '300']) {
          const name = `every${interval}`
          const env = { HARBINGER_SERVER: name, HARBINGER_INTERVAL_SECONDS: interval }
          started(startAgent(mkdtempSync(join(folder, name)), url, env, there.within))
          // One that samples every 300 s has said only that it is there.
          await untilTrue(`${name} is heard`, async () => {
            const found = await server(hub, name)
            return found.agent?.status === 'online' && (interval === '300' || !!found.lastSeen)
          })
        }
      }
      there.pullCable()
      const all = hubs.flatMap(({ hub, of }) =>
        ['every10', 'every300'].map(async (name) => {
          const seconds = await secondsUntilOffline(hub, name)
          console.info(`seconds after the cable was pulled: ${name}, ${of}`, seconds)
          expect(seconds.offline, `${name}, ${of}`).toBeLessThan(bars.cable)
          if (name === 'every10') expect(seconds.late, `${name}, ${of}`).toBeLessThan(27)
        }),
      )
      await Promise.all(all)
    },
  )
