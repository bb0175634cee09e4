import { connectAsync, type MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { topic } from '@harbinger/shared/topics'
import { openBroker } from '../../hub/src/ingest/broker.ts'

const nothingKept = {
  ...{ upTo: new Map<string, number>(), servers: new Set<never>(), returned: new Set<never>() },
  ...{ stored: 0, duplicates: 0, quarantined: 0 },
}

let broker: Awaited<ReturnType<typeof openBroker>>
let clients: MqttClient[]
beforeEach(async () => {
  clients = []
  broker = await openBroker({
    ...{ host: '127.0.0.1', port: 0, now: Date.now, log: { info() {}, warn() {}, error() {} } },
    ...{ keep: () => nothingKept, onKept() {} },
  })
})
afterEach(async () => {
  for (const client of clients) await client.endAsync(true)
  await broker.close()
})

/** An MQTT client of that name, as any program on that server could be, and what it hears. */
async function open(name: string) {
  const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
    ...{ clientId: name, reconnectPeriod: 0 },
  })
  clients.push(client)
  const heard: { topic: string; payload: string; retain: boolean }[] = []
  const waiting = new Set<() => void>()
  client.on('message', (name, payload, { retain }) => {
    heard.push({ topic: name, payload: payload.toString(), retain })
    for (const look of waiting) look()
  })
  const until = (n: number) =>
    new Promise<void>((resolve) => {
      const look = () => void (heard.length >= n && resolve())
      waiting.add(look)
      look()
    })
  /** 128 is a refusal [MQTT-3.9.3]. */
  const mayHear = async (filter: string): Promise<boolean> => {
    const [granted] = await client.subscribeAsync(filter, { qos: 1 }).catch(() => [{ qos: 128 }])
    return granted!.qos < 128
  }
  return { client, heard, until, mayHear }
}

test("an agent hears its own configuration, now and when it comes later, and nobody else's", async () => {
  const a = await open('a')
  const b = await open('b')
  expect(await a.mayHear(topic('a', 'config'))).toBe(true)
  expect(await b.mayHear(topic('b', 'config'))).toBe(true)
  for (const filter of [
    topic('b', 'config'),
    topic('+', 'config'),
    'harbinger/v1/#',
    '#',
    '+/+/b/config',
  ]) {
    expect(await a.mayHear(filter), filter).toBe(false)
  }
  broker.tellInterval('a', 30)
  broker.tellInterval('b', 60)
  await Promise.all([a.until(1), b.until(1)])
  expect(a.heard).toEqual([
    { topic: 'harbinger/v1/a/config', payload: '{"intervalSeconds":30}', retain: false },
  ])
  await a.client.endAsync()
  const again = await open('a')
  await again.mayHear(topic('a', 'config'))
  await again.until(1)
  expect(again.heard).toEqual([
    { topic: 'harbinger/v1/a/config', payload: '{"intervalSeconds":30}', retain: true },
  ])

  broker.tellInterval('a', null)
  await again.until(2)
  expect(again.heard[1]).toMatchObject({ payload: '' })
  await again.client.endAsync()
  const later = await open('a')
  await later.mayHear(topic('a', 'config'))
  // Heard in order: what was retained would have come before.
  broker.tellInterval('a', 5)
  await later.until(1)
  expect(later.heard).toMatchObject([{ payload: '{"intervalSeconds":5}', retain: false }])
})

test('an agent can publish no configuration, neither of another nor its own', async () => {
  const a = await open('a')
  const b = await open('b')
  await b.mayHear(topic('b', 'config'))
  await a.mayHear(topic('a', 'config'))
  for (const server of ['a', 'b']) {
    await a.client.publishAsync(topic(server, 'config'), '{"intervalSeconds":300}', {
      ...{ qos: 1, retain: true },
    })
  }
  expect(broker.counters().foreignTopics).toBe(2)
  broker.tellInterval('a', 10)
  broker.tellInterval('b', 10)
  await Promise.all([a.until(1), b.until(1)])
  for (const { heard } of [a, b])
    expect(heard).toMatchObject([{ payload: '{"intervalSeconds":10}' }])
})
