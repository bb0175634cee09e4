import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Inventory } from '@harbinger/shared/sample'
import { silentLog } from '../../agent/src/log.ts'
import { openPublisher, type Publisher } from '../../agent/src/publish/publisher.ts'
import { openSpool, type Spool } from '../../agent/src/publish/spool.ts'
import { openTestBroker } from './broker.ts'

type Broker = Awaited<ReturnType<typeof openTestBroker>>

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close()
})

const openBroker = async (port?: number): Promise<Broker> => {
  const broker = await openTestBroker(port)
  opened.push(broker)
  return broker
}

const sample = (seq: number) => ({ v: '1.0.0', seq, at: 1_767_225_600_000 + seq, m: {} })

const seqsOf = (samples: unknown): number[] => (samples as { seq: number }[]).map(({ seq }) => seq)

async function openAgent(hubUrl: string, { maxSamples = 100 } = {}) {
  let elapsed = 0
  const now = () => 1_767_225_600_000
  const folder = mkdtempSync(join(tmpdir(), 'agent-publisher-'))
  const spool = openSpool(folder, {
    ...{ maxBytes: 64e6, maxAgeMs: 7 * 86_400_000, maxInMemory: maxSamples },
    ...{ clock: { now, monotonicMs: () => elapsed }, log: silentLog },
  })
  opened.push({
    async close() {
      await spool.close()
      rmSync(folder, { recursive: true, force: true })
    },
  })
  const onInterval = vi.fn()
  const warn = vi.fn()
  const timers = new Set<{ delayMs: number; callback: () => void }>()
  /** Lets the time pass that the agent waits for what the broker retains. */
  const waits = () => [...timers].filter(({ delayMs }) => delayMs === 10_000)
  const letConfigWaitPass = async () => {
    while (waits().length === 0) await turn()
    waits()[0]!.callback()
  }
  let inventory: Inventory = { agentVersion: '0.1.0', cores: 2 }
  const setInventory = (next: Inventory) => void (inventory = next)
  const publisher: Publisher = await openPublisher({
    server: 'db1',
    hubUrl,
    spool,
    nextSeq: () => (spool.last() ?? 0) + 1,
    inventory: () => inventory,
    clock: {
      ...{ now, monotonicMs: () => elapsed },
      after(delayMs, callback) {
        const timer = { delayMs, callback }
        timers.add(timer)
        return () => timers.delete(timer)
      },
    },
    log: { ...silentLog, warn },
    onInterval,
    reconnectMs: 5,
    random: () => 0,
  })
  opened.push(publisher)
  const wait = (ms: number) => (elapsed += ms)
  return { publisher, spool, onInterval, warn, wait, setInventory, waits, letConfigWaitPass }
}

/** Connected, subscribed to its topics, and its greeting heard. */
async function openConnected(options?: { maxSamples?: number }) {
  const broker = await openBroker()
  const subscribed = broker.subscribed()
  const agent = await openAgent(broker.url, options)
  await subscribed
  await broker.until(() => broker.of('inventory').length === 1)
  return { broker, ...agent }
}

/** Until the spool holds `size` samples: an acknowledgement takes a few turns of the event loop to arrive. */
async function settled(spool: Spool, size: number) {
  while (spool.state().samples !== size) await turn()
}

describe('publisher', () => {
  test('greets the hub with a retained status and inventory', async () => {
    const { broker } = await openConnected()
    expect(broker.heard.filter(({ retain }) => retain).map(({ kind }) => kind)).toEqual([
      'status',
      'inventory',
    ])
    expect(broker.of('status')).toEqual([
      {
        ...{ state: 'online', reason: 'started', at: 1_767_225_600_000, v: '1.0.0', oldest: 1 },
        ...{ instance: '0' },
      },
    ])
    expect(broker.of('inventory')).toEqual([{ agentVersion: '0.1.0', cores: 2 }])
  })

  test('says goodbye when it is stopped', async () => {
    const { broker, publisher } = await openConnected()
    await publisher.close()
    await broker.until(() => broker.of('status').length === 2)
    expect(broker.of('status')[1]).toMatchObject({ state: 'offline', reason: 'stopped' })
  })

  test('says nothing after its goodbye; what is still sampled is kept', async () => {
    const { broker, publisher, spool } = await openConnected()
    const closed = publisher.close()
    publisher.publish(sample(1))
    await closed
    await broker.until(() => broker.of('status').length === 2)
    expect(broker.of('samples')).toEqual([])
    expect(spool.state().samples).toBe(1)
  })

  test('leaves a last will for when it cannot say goodbye', async () => {
    const { broker } = await openConnected()
    broker.cut()
    await broker.until(() => broker.of('status').length >= 2)
    expect(broker.of('status')[1]).toMatchObject({ state: 'offline', reason: 'connection lost' })
    expect(broker.heard.at(-1)).toMatchObject({ retain: true })
  })

  test('keeps a sample until the hub has it', async () => {
    const { broker, publisher, spool } = await openConnected()
    for (const seq of [1, 2, 3]) publisher.publish(sample(seq))
    await broker.until(() => broker.of('samples').length === 3)
    expect(spool.state().samples).toBe(3)
    await broker.say('db1', 'ack', { upTo: 2 })
    await settled(spool, 1)
    expect(publisher.state()).toMatchObject({ spool: { samples: 1 }, lastAck: { upTo: 2 } })
  })

  test('sends what was not acknowledged again after the connection was lost, in order, deflated', async () => {
    const { broker, publisher, spool } = await openConnected()
    for (let seq = 1; seq <= 4; seq++) publisher.publish(sample(seq))
    await broker.until(() => broker.of('samples').length === 4)
    await broker.say('db1', 'ack', { upTo: 1 })
    await settled(spool, 3)
    broker.cut()
    await broker.until(() => broker.of('backlog').length === 1)
    expect(seqsOf(broker.of('backlog')[0])).toEqual([2, 3, 4])
  })

  test('collects samples while there is no hub, and delivers them to the one that comes', async () => {
    const first = await openBroker()
    await first.close()
    opened.pop()
    const { publisher, spool } = await openAgent(first.url)
    for (let seq = 1; seq <= 5; seq++) publisher.publish(sample(seq))
    const broker = await openBroker(first.port)
    await broker.until(() => broker.of('backlog').length === 1)
    expect(seqsOf(broker.of('backlog')[0])).toEqual([1, 2, 3, 4, 5])
    await broker.say('db1', 'ack', { upTo: 5 })
    await settled(spool, 0)
  })

  test('sends a long backlog in batches, each after the one before is committed', async () => {
    const first = await openBroker()
    await first.close()
    opened.pop()
    const { publisher, spool } = await openAgent(first.url, { maxSamples: 5_000 })
    for (let seq = 1; seq <= 1_700; seq++) publisher.publish(sample(seq))
    await spool.idle()
    const broker = await openBroker(first.port)
    for (let committed = 0; committed < 1_700;) {
      const batches = broker.of('backlog').length
      await broker.until(() => broker.of('backlog').length > batches)
      const seqs = seqsOf(broker.of('backlog').at(-1))
      expect(seqs[0]).toBe(committed + 1)
      committed = seqs.at(-1)!
      await broker.say('db1', 'ack', { upTo: committed })
    }
    await settled(spool, 0)
    expect(broker.of('backlog').flatMap(seqsOf)).toEqual(
      Array.from({ length: 1_700 }, (_, i) => i + 1),
    )
  })

  test('sends live samples at once while a backlog waits for the hub', async () => {
    const { broker, publisher, spool } = await openConnected()
    for (let seq = 1; seq <= 4; seq++) publisher.publish(sample(seq))
    await broker.until(() => broker.of('samples').length === 4)
    broker.cut()
    await broker.until(() => broker.of('backlog').length === 1)
    publisher.publish(sample(5))
    await broker.until(() => broker.of('samples').length === 5)
    expect(spool.state().samples).toBe(5)
  })

  test('sends nothing twice by itself: what was in flight comes from the spool', async () => {
    const { broker, publisher } = await openConnected()
    await broker.hold(true)
    publisher.publish(sample(1))
    await broker.until(() => broker.of('samples').length === 1)
    broker.cut()
    await broker.hold(false)
    await broker.until(() => broker.of('backlog').length === 1)
    expect(broker.of('samples')).toHaveLength(1)
    expect(seqsOf(broker.of('backlog')[0])).toEqual([1])
  })

  test('says from where on it has samples, at the start and when the hub stands before a gap', async () => {
    const { broker, publisher, spool } = await openConnected()
    const oldest = () => broker.of('status').map((status) => (status as { oldest?: number }).oldest)
    expect(oldest()).toEqual([1])
    publisher.publish(sample(1))
    publisher.publish(sample(1001))
    await broker.until(() => broker.of('samples').length === 2)
    await broker.say('db1', 'ack', { upTo: 1 })
    await broker.until(() => broker.of('status').length === 2)
    expect(oldest()).toEqual([1, 1001])
    await broker.say('db1', 'ack', { upTo: 1001 })
    await settled(spool, 0)
  })

  test('says before each batch from where on it goes, when numbers are missing before it', async () => {
    const first = await openBroker()
    await first.close()
    opened.pop()
    const { publisher, spool } = await openAgent(first.url)
    for (const seq of [1, 2, 1001, 1002]) publisher.publish(sample(seq))
    await spool.idle()
    const broker = await openBroker(first.port)
    await broker.until(() => broker.of('backlog').length === 1)
    await broker.say('db1', 'ack', { upTo: 2 })
    await broker.until(() => broker.of('backlog').length === 2)
    const said = broker.heard
      .filter(({ kind }) => kind === 'status' || kind === 'backlog')
      .map(({ kind, value }) => (kind === 'status' ? value : seqsOf(value)))
    expect(said).toMatchObject([{ oldest: 1 }, [1, 2], { oldest: 1001 }, [1001, 1002]])
  })

  test('sends again what a hub may have missed that was away behind a broker that stayed', async () => {
    const { broker, publisher, wait, spool } = await openConnected()
    publisher.publish(sample(1))
    await broker.until(() => broker.of('samples').length === 1)
    wait(60_000)
    publisher.publish(sample(2))
    await broker.until(() => broker.of('samples').length === 2)
    // It has the second, and not the first.
    await broker.say('db1', 'ack', { upTo: 0 })
    await broker.until(() => broker.of('backlog').length === 1)
    expect(seqsOf(broker.of('backlog')[0])).toEqual([1, 2])
    await broker.say('db1', 'ack', { upTo: 2 })
    await settled(spool, 0)
  })

  test('sends a batch again that a broker dropped, and no sooner than a slow hub may answer', async () => {
    const { broker, publisher, wait } = await openConnected()
    publisher.publish(sample(1))
    await broker.until(() => broker.of('samples').length === 1)
    broker.cut()
    await broker.until(() => broker.of('backlog').length === 1)
    const subscribed = broker.until(() => broker.of('inventory').length === 2)
    await subscribed
    wait(10_000)
    await broker.say('db1', 'ack', { upTo: 0 })
    while (publisher.state().lastAck === undefined) await turn()
    wait(30_000)
    expect(broker.of('backlog')).toHaveLength(1)
    await broker.say('db1', 'ack', { upTo: 0 })
    await broker.until(() => broker.of('backlog').length >= 2)
    publisher.publish(sample(2))
    await broker.until(() => broker.of('samples').length === 2)
    expect(broker.of('backlog')).toHaveLength(2)
  })

  test('takes the interval from the hub', async () => {
    const { broker, onInterval } = await openConnected()
    await broker.say('db1', 'config', { intervalSeconds: 30 })
    await vi.waitUntil(() => onInterval.mock.calls.length > 0)
    expect(onInterval).toHaveBeenCalledWith(30)
  })

  test('goes back to its own interval when the hub takes back what it asked for', async () => {
    const { broker, onInterval } = await openConnected()
    await broker.say('db1', 'config', { intervalSeconds: 30 })
    await broker.say('db1', 'config', '')
    await vi.waitUntil(() => onInterval.mock.calls.length > 1)
    expect(onInterval.mock.calls).toEqual([[30], [null]])
  })

  test('goes back also when that happened while it was away', async () => {
    const { broker, onInterval, letConfigWaitPass } = await openConnected()
    await broker.say('db1', 'config', { intervalSeconds: 30 })
    await vi.waitUntil(() => onInterval.mock.calls.length > 0)
    broker.cut()
    // While nobody hears it.
    await broker.say('db1', 'config', '')
    await broker.until(() => broker.of('inventory').length === 2)
    await letConfigWaitPass()
    expect(onInterval.mock.calls.at(-1)).toEqual([null])
  })

  test('does not wait any longer once it was told', async () => {
    const { broker, publisher, onInterval, waits } = await openConnected()
    await broker.say('db1', 'config', { intervalSeconds: 30 })
    await vi.waitUntil(() => onInterval.mock.calls.length > 0)
    publisher.publish(sample(1))
    await broker.until(() => broker.of('samples').length === 1)
    expect(waits()).toEqual([])
  })

  test('finds what the hub asks for when it comes later', async () => {
    const broker = await openBroker()
    await broker.say('db1', 'config', { intervalSeconds: 60 })
    const { onInterval } = await openAgent(broker.url)
    await vi.waitUntil(() => onInterval.mock.calls.length > 0)
    expect(onInterval.mock.calls).toEqual([[60]])
  })

  test('tells the hub when what it says of itself has changed by that', async () => {
    const { broker, onInterval, setInventory } = await openConnected()
    const interval = { seconds: 30, own: 10, from: 'hub' } as const
    onInterval.mockImplementation(() => setInventory({ agentVersion: '0.1.0', interval }))
    await broker.say('db1', 'config', { intervalSeconds: 30 })
    await broker.until(() => broker.of('inventory').length === 2)
    expect(broker.of('inventory')[1]).toEqual({ agentVersion: '0.1.0', interval })
    // Told again, it has nothing new to say.
    await broker.say('db1', 'config', { intervalSeconds: 30 })
    await vi.waitUntil(() => onInterval.mock.calls.length > 1)
    expect(broker.of('inventory')).toHaveLength(2)
  })

  test.each([
    ['too short', { intervalSeconds: 0 }],
    ['too long', { intervalSeconds: 301 }],
    ['no whole number', { intervalSeconds: 1.5 }],
    ['missing', {}],
    ['no JSON', 'soon'],
  ])('ignores an interval that is %s', async (_, message) => {
    const { broker, onInterval, warn } = await openConnected()
    await broker.say('db1', 'config', message)
    // Answered in order: when the second has arrived, the first has been read.
    await broker.say('db1', 'config', { intervalSeconds: 5 })
    await vi.waitUntil(() => onInterval.mock.calls.length > 0)
    expect(onInterval.mock.calls).toEqual([[5]])
    expect(warn.mock.calls).toEqual([
      [
        { topic: 'harbinger/v1/db1/config', reason: expect.stringContaining('expected') },
        expect.stringContaining('configuration from the hub ignored'),
      ],
    ])
  })
})
