import { deflateSync } from 'node:zlib'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptySeries } from '../../shared/src/window/series.ts'
import { topic } from '../../shared/src/topics.ts'
import { agentCostStore } from '../../hub/src/storage/agent-cost-store.ts'
import { openDatabase } from '../../hub/src/storage/database.ts'
import { type LiveWindow, messageKeeper } from '../../hub/src/storage/keep-messages.ts'
import { quarantineStore } from '../../hub/src/storage/quarantine-store.ts'
import { rollupStore } from '../../hub/src/storage/rollup-store.ts'
import { sampleStore } from '../../hub/src/storage/sample-store.ts'
import { serverStore } from '../../hub/src/storage/server-store.ts'
import { fleetWindow } from '../../hub/src/window/fleet-window.ts'
import { loadSeries } from '../../hub/src/storage/load-series.ts'
import { openBroker } from '../../hub/src/ingest/broker.ts'

const quiet = { info() {}, warn() {}, error() {} }
const start = Date.UTC(2026, 0, 5, 12)

async function openIngest() {
  const db = openDatabase(':memory:')
  const servers = serverStore(db)
  const rollups = rollupStore(db)
  const stores = {
    ...{ db, servers, rollups, samples: sampleStore(db), quarantine: quarantineStore(db) },
    agentCosts: agentCostStore(db),
  }
  const clock = { now: start }
  const window = fleetWindow((serverId, series) =>
    loadSeries(rollups, { serverId, series, now: clock.now }),
  )
  const keep = messageKeeper(stores, window as LiveWindow)
  const failure = { next: undefined as Error | undefined }
  const broker = await openBroker({
    host: '127.0.0.1',
    port: 0,
    now: () => clock.now,
    keep(group) {
      if (failure.next) throw failure.next
      return keep(group)
    },
    onKept() {},
    log: quiet,
  })
  const clients: MqttClient[] = []
  return {
    ...stores,
    window,
    broker,
    clock,
    failure,
    rows: (): number => db.prepare('SELECT count(*) FROM samples').pluck().get() as number,
    async agent(name: string, options = {}) {
      const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
        clientId: name,
        reconnectPeriod: 20,
        ...options,
      })
      clients.push(client)
      const acks: number[] = []
      const waiting: { upTo: number; resolve: () => void }[] = []
      client.on('message', (_topic, payload) => {
        acks.push((JSON.parse(payload.toString()) as { upTo: number }).upTo)
        for (const w of waiting) if (acks.at(-1)! >= w.upTo) w.resolve()
      })
      await client.subscribeAsync(topic(name, 'ack'))
      return {
        client,
        acks,
        acked: (upTo: number) =>
          new Promise<void>((resolve) => {
            if ((acks.at(-1) ?? -1) >= upTo) resolve()
            else waiting.push({ upTo, resolve })
          }),
        say: (kind: 'samples' | 'backlog' | 'status' | 'inventory', payload: unknown, as = name) =>
          client.publishAsync(
            topic(as, kind),
            Buffer.isBuffer(payload) || typeof payload === 'string'
              ? payload
              : JSON.stringify(payload),
            { qos: 1 },
          ),
      }
    },
    async close() {
      for (const client of clients) client.end(true)
      await broker.close()
      db.close()
    },
  }
}

const sample = (seq: number, { at = start + seq * 10_000, idle = 60, ...more } = {}) => ({
  v: '1.0.0',
  seq,
  at,
  cores: 4,
  m: {
    cpu_user_pct: 100 - idle,
    cpu_sys_pct: 0,
    cpu_iowait_pct: 0,
    cpu_idle_pct: idle,
    mem_used_pct: 50,
  },
  ...more,
})
const deflated = (samples: unknown) => deflateSync(JSON.stringify(samples))

let hub: Awaited<ReturnType<typeof openIngest>>
beforeEach(async () => {
  hub = await openIngest()
})
afterEach(() => hub.close())

test('acknowledges a sample only after it is committed', async () => {
  const agent = await hub.agent('web1')
  await agent.say('samples', sample(1))
  expect(hub.rows()).toBe(1)
  await agent.acked(1)
  expect(agent.acks).toEqual([1])
  expect(hub.servers.find('WEB1')).toMatchObject({ name: 'web1', decidedUpTo: 1, cores: 4 })
})

test('is sent a sample again while storage fails, and acknowledges when it works', async () => {
  const agent = await hub.agent('web1')
  hub.failure.next = new Error('disk full')
  const said = agent.say('samples', sample(1))
  await new Promise<void>((resolve) => agent.client.once('reconnect', () => resolve()))
  expect(hub.rows()).toBe(0)
  expect(agent.acks).toEqual([])
  hub.failure.next = undefined
  await said
  // What is said before mqtt.js has subscribed again is heard by nobody; the next acknowledgement covers it.
  await agent.say('samples', sample(2))
  await agent.acked(2)
  expect(hub.rows()).toBe(2)
  expect(hub.broker.counters().storageFailures).toBeGreaterThan(0)
})

test('acknowledges nonsense once, and keeps the reason', async () => {
  const agent = await hub.agent('web1')
  await agent.say('samples', '{broken')
  await agent.say('samples', { ...sample(1), m: { cpu_pct: 3 } })
  await agent.say('backlog', 'not deflated')
  await agent.say('samples', { ...sample(2), v: '2.0.0' })
  const { id } = hub.servers.find('web1')!
  expect(hub.quarantine.counts(id)).toEqual({
    not_json: 1,
    deprecated_metric: 1,
    not_deflated: 1,
    contract_version: 1,
  })
  expect(hub.quarantine.last(id)[0]?.detail).toContain('contract 2.0.0')
  expect(hub.quarantine.last(id)[0]?.detail).toContain('1.0.0')
  expect(hub.rows()).toBe(0)
  // Their numbers were readable, so the agent need not keep them.
  await agent.acked(2)
  expect(hub.broker.counters().messages).toBe(4)
})

test('keeps the rest of a batch in which one sample is refused', async () => {
  const agent = await hub.agent('web1')
  const broken = { ...sample(2), m: { mem_used_pct: 300 } }
  await agent.say('backlog', deflated([sample(1), broken, sample(3)]))
  await agent.acked(3)
  expect(hub.rows()).toBe(2)
  const { id } = hub.servers.find('web1')!
  expect(hub.quarantine.last(id)).toEqual([
    { at: start, reason: 'out_of_range', detail: 'mem_used_pct = 300, expected 0 to 100 %' },
  ])
})

test('drops what an agent says in the name of another', async () => {
  const agent = await hub.agent('web1')
  await agent.say('samples', sample(1), 'db1')
  expect(hub.rows()).toBe(0)
  expect(hub.servers.find('db1')).toBeUndefined()
  expect(hub.broker.counters().foreignTopics).toBe(1)
})

test.each(['#', 'harbinger/v1/+/samples', 'harbinger/v1/db1/ack', 'harbinger/v1/db1/samples'])(
  'lets an agent not listen to %s',
  async (filter) => {
    const { client } = await hub.agent('web1')
    await expect(client.subscribeAsync(filter)).rejects.toThrow()
  },
)

test('stores a redelivered sample once, and acknowledges it again', async () => {
  const agent = await hub.agent('web1')
  await agent.say('samples', sample(1))
  await agent.say('samples', sample(1))
  await agent.say('backlog', deflated([sample(1), sample(2)]))
  await agent.acked(2)
  expect(hub.rows()).toBe(2)
  expect(agent.acks).toEqual([1, 1, 2])
})

test('acknowledges no further than the first gap while a backlog is on its way', async () => {
  const agent = await hub.agent('web1')
  await agent.say('backlog', deflated([sample(1), sample(2)]))
  await agent.say('samples', sample(5))
  await agent.acked(2)
  expect(hub.servers.find('web1')!.decidedUpTo).toBe(2)
  await agent.say('backlog', deflated([sample(3), sample(4)]))
  await agent.acked(5)
  expect(hub.rows()).toBe(5)
})

test('live samples behind a backlog do not speak for it while it is being read', async () => {
  const agent = await hub.agent('web1')
  await agent.say('samples', sample(1))
  await agent.client.endAsync()
  const again = await hub.agent('web1')
  const stored: boolean[] = []
  again.client.on('message', (_topic, payload) => {
    stored.push(hub.rows() >= (JSON.parse(payload.toString()) as { upTo: number }).upTo)
  })
  const n = 20
  const many = Array.from({ length: n }, (_, i) => sample(2 + i, { at: start - 9e6 + i * 100 }))
  // Blanks: small enough to arrive together with the sample behind it, long to inflate.
  const slow = deflateSync(`${' '.repeat(12e6)}${JSON.stringify(many)}`)
  const kept = again.say('backlog', slow)
  await Promise.all([kept, again.say('samples', sample(n + 2, { at: start }))])
  await again.acked(n + 2)
  expect(hub.rows()).toBe(n + 2)
  expect(stored).not.toContain(false)
})

test('takes the first samples of a connection for the oldest that the agent still keeps', async () => {
  const agent = await hub.agent('web1')
  await agent.say('samples', sample(3))
  await agent.acked(3)
  await agent.client.endAsync()
  const again = await hub.agent('web1')
  await again.say('backlog', deflated([sample(8), sample(9)]))
  await again.acked(9)
})

test('stores a backlog that a live sample of its connection overtook', async () => {
  const agent = await hub.agent('web1')
  await agent.say('samples', sample(9))
  await agent.acked(9)
  await agent.say('backlog', deflated([sample(1), sample(2)]))
  await agent.say('backlog', deflated([sample(2, { at: start }), sample(3)]))
  expect(hub.rows()).toBe(4)
})

test('knows an agent that lost its memory by new samples with old numbers', async () => {
  const agent = await hub.agent('web1')
  await agent.say(
    'samples',
    [1, 2, 3].map((seq) => sample(seq)),
  )
  await agent.client.endAsync()
  const reinstalled = await hub.agent('web1')
  await reinstalled.say('samples', sample(1, { at: start + 60_000 }))
  await reinstalled.acked(1)
  expect(hub.rows()).toBe(4)
})

test('one server, however its name is written', async () => {
  const agent = await hub.agent('Web1')
  await agent.say('samples', sample(1))
  const other = await hub.agent('WEB1')
  await other.say('samples', sample(2))
  await other.acked(2)
  expect(hub.servers.count()).toBe(1)
  expect(hub.servers.find('web1')!.name).toBe('Web1')
})

test('places a live sample of a wrong clock by its arrival, a backlog by its own time', async () => {
  const agent = await hub.agent('web1')
  await agent.say('backlog', deflated([sample(1, { at: start - 3_600_000 })]))
  await agent.say('samples', sample(2, { at: start - 600_000 }))
  const rows = hub.db.prepare('SELECT at, flags FROM samples ORDER BY seq').all()
  expect(rows).toEqual([
    { at: start - 3_600_000, flags: 0 },
    { at: start, flags: 1 },
  ])
  expect(hub.servers.find('web1')!.skewMs).toBe(600_000)
})

test('late samples correct the minute, in memory and where it is stored', async () => {
  const agent = await hub.agent('web1')
  await agent.say('samples', sample(2, { at: start, idle: 60 }))
  await agent.client.endAsync()
  const minute = (start - 20 * 3_600_000) / 60_000
  const again = await hub.agent('web1')
  const late = [
    sample(3, { at: minute * 60_000, idle: 20 }),
    sample(4, { at: minute * 60_000 + 10_000, idle: 40 }),
  ]
  await again.say('backlog', deflated(late))
  await again.acked(4)
  const { id } = hub.servers.find('web1')!
  expect(hub.window.minute(id, minute)?.mean[3]).toBe(30)
  const fresh = emptySeries()
  loadSeries(hub.rollups, { serverId: id, series: fresh, now: start })
  expect(fresh.mean).toEqual(hub.window.series(id).mean)
  expect(fresh.count).toEqual(hub.window.series(id).count)
})

test('samples older than memory correct their minute where it is stored', async () => {
  const agent = await hub.agent('web1')
  const minute = (start - 30 * 3_600_000) / 60_000
  await agent.say('samples', sample(9, { at: start }))
  await agent.say('backlog', deflated([sample(10, { at: minute * 60_000, idle: 20 })]))
  await agent.say('backlog', deflated([sample(11, { at: minute * 60_000 + 9, idle: 40 })]))
  const { id } = hub.servers.find('web1')!
  expect(hub.rollups.minute(id, minute)?.mean[3]).toBe(30)
})

test('keeps status and inventory', async () => {
  const agent = await hub.agent('web1')
  await agent.say('status', { state: 'online', reason: 'started', at: start, v: '1.0.0' })
  await agent.say('inventory', {
    agentVersion: '0.1.0',
    simulated: true,
    profile: 'database',
    cores: 8,
    tags: ['blue'],
  })
  expect(hub.servers.find('web1')).toMatchObject({
    status: 'online',
    simulated: true,
    profile: 'database',
    profileSource: 'agent',
    tags: ['blue'],
    cores: 8,
  })
  expect(serverStore(hub.db).find('web1')).toMatchObject({ status: 'online', profile: 'database' })
})

test('calls two live agents with one name a conflict', async () => {
  await hub.agent('web1', { reconnectPeriod: 0 })
  expect(hub.broker.isConflict('web1')).toBe(false)
  for (let i = 0; i < 3; i++) await hub.agent('web1', { reconnectPeriod: 0 })
  expect(hub.broker.isConflict('WEB1')).toBe(true)
  hub.clock.now += 6 * 60_000
  expect(hub.broker.isConflict('web1')).toBe(false)
})

const says = (oldest: number) => ({
  ...{ state: 'online', reason: 'started', at: start, v: '1.0.0' },
  oldest,
})

test('an agent that says from where on it has samples is acknowledged up to the first gap, and no further', async () => {
  const agent = await hub.agent('web1')
  await agent.say('status', says(5))
  // The live one overtakes its backlog; the middle of that is dropped on the way.
  await agent.say('samples', sample(10))
  await agent.say('backlog', deflated([sample(5), sample(6)]))
  await agent.say('backlog', deflated([sample(9)]))
  await agent.say('samples', sample(11))
  await expect.poll(() => agent.acks).toEqual([4, 4, 6, 6, 6])
  await agent.say('backlog', deflated([sample(7), sample(8)]))
  await agent.acked(11)
  expect(hub.rows()).toBe(7)
})

test('numbers that will never come are known by what the agent says', async () => {
  const agent = await hub.agent('web1')
  await agent.say('status', says(5))
  await agent.say('backlog', deflated([sample(5), sample(6)]))
  await agent.say('samples', sample(1001, { at: start }))
  await expect.poll(() => agent.acks.at(-1)).toBe(6)
  await agent.say('status', says(1001))
  await agent.acked(1001)
  // Said once more by a broker that kept it, it takes nothing back.
  await agent.say('status', says(5))
  await agent.say('samples', sample(1002, { at: start }))
  await agent.acked(1002)
  expect(agent.acks.at(-1)).toBe(1002)
})

test('messages that come twice and in any order are stored once each', async () => {
  const agent = await hub.agent('web1')
  hub.clock.now = start + 600_000
  await agent.say('status', says(1))
  const batches = [1, 11, 21, 31].map((first) =>
    deflated(Array.from({ length: 10 }, (_, i) => sample(first + i))),
  )
  for (const i of [2, 0, 2, 3, 0, 1, 3, 1]) await agent.say('backlog', batches[i])
  for (const seq of [42, 41, 41, 40, 42]) await agent.say('samples', sample(seq))
  await agent.acked(42)
  expect(hub.rows()).toBe(42)
})

test.each([
  ['an hour ahead', 3_600_000],
  ['an hour back', -3_600_000],
])(
  'a clock that steps %s and is set right again loses nothing and stores nothing twice',
  async (_, step) => {
    const agent = await hub.agent('web1')
    await agent.say('status', says(1))
    const skewOf = (seq: number) => (seq > 10 && seq <= 20 ? step : 0)
    const all = Array.from({ length: 30 }, (_, i) =>
      sample(i + 1, { at: start + i * 10_000 + skewOf(i + 1) }),
    )
    for (const [i, one] of all.entries()) {
      hub.clock.now = start + i * 10_000
      await agent.say('samples', one)
    }
    await agent.acked(30)
    // From the future is nothing that can be shown: quarantined, counted, and not asked for again.
    const stored = step > 0 ? 20 : 30
    expect(hub.rows()).toBe(stored)
    expect(hub.quarantine.counts(hub.servers.find('web1')!.id)).toEqual(
      step > 0 ? { from_the_future: 10 } : {},
    )
    // Whoever sends all of it again, because an acknowledgement was lost, changes nothing.
    await agent.client.endAsync()
    const again = await hub.agent('web1')
    await again.say('status', says(1))
    await again.say('backlog', deflated(all))
    await again.acked(30)
    expect(hub.rows()).toBe(stored)
  },
)

test('keeps what an agent says of itself, and no more than numbers', async () => {
  const agent = await hub.agent('web1')
  const own = { agent_cpu_pct: 0.07, agent_rss_mb: 53.2, agent_dropped: 0 }
  const withOwn = { ...sample(1), m: { ...sample(1).m, ...own, agent_spool_mb: 'much' } }
  await agent.say('samples', withOwn)
  await agent.say('samples', sample(2))
  const server = hub.servers.find('web1')!
  expect(hub.agentCosts.last(server.id)).toEqual({ at: start, readings: own })
  expect(server.unknownReadings).toBe(0)
})

test('hangs up on a packet longer than any backlog', async () => {
  const agent = await hub.agent('web1', { reconnectPeriod: 0 })
  agent.client.on('error', () => {})
  const closed = new Promise<void>((resolve) => agent.client.once('close', () => resolve()))
  agent.client.publish(topic('web1', 'backlog'), Buffer.alloc(4 * 1024 * 1024), { qos: 1 })
  await closed
  expect(hub.servers.find('web1')).toBeUndefined()
})

test('a fleet may speak for many servers', async () => {
  const fleet = await hub.agent('harbinger-fleet-test')
  await fleet.client.subscribeAsync('harbinger/v1/+/ack')
  await fleet.say('samples', sample(1), 'web1')
  await fleet.say('samples', sample(1), 'web2')
  expect(hub.servers.count()).toBe(2)
})
