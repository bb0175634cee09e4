import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../../agent/src/log.ts'
import { openPublisher, type Publisher } from '../../agent/src/publish/publisher.ts'
import { openSpool, type Spool } from '../../agent/src/publish/spool.ts'
import { openExternalBroker } from '../../hub/src/ingest/external-broker.ts'
import { type LiveWindow, messageKeeper } from '../../hub/src/storage/keep-messages.ts'
import { openStores } from '../../hub/src/storage/stores.ts'
import { fleetWindow } from '../../hub/src/window/fleet-window.ts'
import { freePort, noMosquitto, startMosquitto, untilTrue } from './processes.ts'

const servers = 10
const backlog = 700
const start = Date.UTC(2026, 0, 5, 12)
/** Patience of agents is counted in minutes; here they pass faster. */
const speed = 20

let folder: string
const opened: (() => Promise<unknown> | void)[] = []
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'harbinger-slow-'))))
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
  rmSync(folder, { recursive: true, force: true })
})

const clock = {
  now: () => start + Math.round(performance.now() * speed),
  monotonicMs: () => performance.now() * speed,
  after: () => () => {},
}

async function openAgent(name: string, hubUrl: string) {
  const options = { maxBytes: 64e6, maxAgeMs: 7 * 86_400_000, maxInMemory: 10_000 }
  const spool: Spool = openSpool(join(folder, name), { ...options, clock, log: silentLog })
  const publisher: Publisher = await openPublisher({
    ...{ server: name, hubUrl, spool, clock, log: silentLog, reconnectMs: 20 },
    nextSeq: () => (spool.last() ?? 0) + 1,
    inventory: () => ({ agentVersion: '0.1.0' }),
    onInterval() {},
  })
  opened.push(() => publisher.close())
  let seq = 0
  const publish = (at: number) =>
    publisher.publish({ v: '1.0.0', seq: ++seq, at, m: { mem_used_pct: seq % 100 } })
  return { spool, publish, taken: () => seq }
}

test(
  'a hub so slow that Mosquitto drops what it does not fetch gets everything in the end, once',
  // No second try: it says that nothing is lost.
  { timeout: 240_000 },
  async ({ skip }) => {
    const missing = noMosquitto()
    if (missing) skip(missing)
    const port = await freePort()
    mkdirSync(join(folder, 'mosquitto'))
    const mosquitto = await startMosquitto(join(folder, 'mosquitto'), port, [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      // Far below the defaults of 20 and 1000: what is beyond is dropped.
      ...['max_inflight_messages 5', 'max_queued_messages 10', 'log_type all'],
    ])
    opened.push(() => mosquitto.end())

    const url = `mqtt://127.0.0.1:${port}`
    const agents: Awaited<ReturnType<typeof openAgent>>[] = []
    for (let i = 0; i < servers; i++) agents.push(await openAgent(`web${i}`, url))
    for (let i = 0; i < backlog; i++) {
      for (const { publish } of agents) publish(start - 86_400_000 + i * 10_000)
    }
    for (const { spool } of agents) await spool.idle()

    const stores = openStores(join(folder, 'hub'))
    opened.push(() => stores.close())
    const window = fleetWindow(() => {})
    const keep = messageKeeper(stores, window as unknown as LiveWindow)
    let slow = true
    const hub = openExternalBroker({
      address: { url, clientId: 'harbinger-hub' },
      ...{ now: clock.now, log: { info() {}, warn() {}, error() {} }, onKept() {} },
      keep(group) {
        // A disk at its end: everything waits behind it, and Mosquitto with it.
        if (slow) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60)
        return keep(group)
      },
    })
    opened.push(() => hub.close())
    const live = setInterval(() => {
      for (const { publish } of agents) publish(clock.now())
    }, 10_000 / speed)
    opened.push(() => clearInterval(live))

    await untilTrue('a part is stored slowly', () => hub.counters().samplesStored > backlog)
    slow = false
    const rows = stores.db.prepare('SELECT count(*) FROM samples').pluck()
    await untilTrue(
      'every spool is empty of its backlog',
      () => agents.every(({ spool }) => (spool.oldest() ?? Infinity) > backlog),
      110_000,
    )
    clearInterval(live)
    await untilTrue('the live samples are there as well', () => {
      const taken = agents.reduce((sum, agent) => sum + agent.taken(), 0)
      for (const { publish, spool } of agents)
        if (spool.oldest() !== undefined) publish(clock.now())
      return rows.get() === taken && agents.every(({ spool }) => spool.oldest() === undefined)
    })
    expect(mosquitto.lines.filter(({ msg }) => msg.includes('dropped')).length).toBeGreaterThan(0)
    const distinct = stores.db
      .prepare('SELECT count(*) FROM (SELECT DISTINCT server_id, seq FROM samples)')
      .pluck()
    expect(distinct.get()).toBe(rows.get())
    expect(agents.every(({ spool }) => spool.state().dropped === 0)).toBe(true)
  },
)
