import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { inflateSync } from 'node:zlib'
import { Aedes, type Client } from 'aedes'
import { agentTopicKinds, readTopic, topic, type TopicKind } from '@harbinger/shared/topics'

export type Heard = { readonly kind: TopicKind; readonly value: unknown; readonly retain: boolean }

/** A real broker on a free port, with what a hub does to agents by hand. */
export async function openTestBroker(port = 0) {
  let isHolding = false
  const broker = await Aedes.createBroker({
    authorizePublish(_client, packet, done) {
      // Heard, and never acknowledged: as a broker that dies in between.
      if (isHolding && packet.topic.endsWith('/samples')) return hear(packet)
      done(null)
    },
  })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    broker.handle(socket)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')

  const heard: Heard[] = []
  const waiting = new Set<() => void>()
  broker.on('publish', hear)
  function hear(packet: { topic: string; payload: string | Buffer; retain: boolean }) {
    const address = readTopic(packet.topic)
    if (!address || !(agentTopicKinds as readonly string[]).includes(address.kind)) return
    const bytes = Buffer.from(packet.payload)
    const text = address.kind === 'backlog' ? inflateSync(bytes) : bytes
    heard.push({ kind: address.kind, value: JSON.parse(String(text)), retain: packet.retain })
    for (const look of waiting) look()
  }

  return {
    port: (server.address() as { port: number }).port,
    url: `mqtt://127.0.0.1:${(server.address() as { port: number }).port}`,
    heard,
    of: (kind: TopicKind): unknown[] =>
      heard.filter((message) => message.kind === kind).map(({ value }) => value),
    /** Resolves when `condition` is true, looking again at each message. */
    until: (condition: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        const look = () => {
          if (!condition()) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    say: (name: string, kind: TopicKind, value: unknown): Promise<void> =>
      new Promise((resolve, reject) =>
        broker.publish(
          {
            cmd: 'publish',
            topic: topic(name, kind),
            payload: typeof value === 'string' ? value : JSON.stringify(value),
            qos: 1,
            retain: kind === 'config',
            dup: false,
          },
          (error) => (error ? reject(error) : resolve()),
        ),
      ),
    /** Whether samples are left without PUBACK. */
    hold: async (holds: boolean) => void (isHolding = holds),
    subscribed: (): Promise<unknown> => once(broker, 'subscribe'),
    connectedAs: (): Promise<[Client]> => once(broker, 'clientReady') as Promise<[Client]>,
    /** As a network that fails: no goodbye. */
    cut() {
      for (const socket of sockets) socket.destroy()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await new Promise<void>((resolve) => broker.close(() => resolve()))
    },
  }
}
