import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { Aedes, type Client } from 'aedes'
import { topic } from '@harbinger/shared/topics'
import type { BrokerStatus } from './broker-status.ts'
import { type IntakeOptions, openIntake } from './intake.ts'
import { limitFrames } from './limit-frames.ts'
import { limits } from './read-message.ts'
import { newSession, type Session, takeovers } from './sessions.ts'
import { mayHear, maySay } from './topic-rights.ts'

export type BrokerOptions = Omit<IntakeOptions, 'acknowledge'> & {
  /** TLS and client certificates have their place here: a server socket that authenticates by certificate. */
  readonly host: string
  readonly port: number
}

export type Broker = Awaited<ReturnType<typeof openBroker>>

/** Where agents are heard. What they say is acknowledged when it is committed, nonsense when it is counted. */
export async function openBroker({ host, port, now, keep, onKept, log }: BrokerOptions) {
  const sessions = new WeakMap<Client, Session>()
  const conflicts = takeovers()
  const intake = openIntake({
    ...{ now, keep, onKept, log },
    acknowledge: (server, upTo) => acknowledge(server, upTo),
  })
  const { counters } = intake
  let closing = false

  const sessionOf = (client: Client): Session => {
    const known = sessions.get(client)
    if (known) return known
    const address = (client.conn as Socket).remoteAddress ?? ''
    const session = newSession(client.id, /^(::ffff:)?127\.|^::1$/.test(address))
    sessions.set(client, session)
    return session
  }

  const acknowledge = (server: string, upTo: number): void =>
    broker.publish(
      {
        cmd: 'publish',
        topic: topic(server, 'ack'),
        payload: JSON.stringify({ upTo }),
        // A lost acknowledgement is made good by the next one.
        qos: 0,
        retain: false,
        dup: false,
      },
      () => {},
    )

  const broker = await Aedes.createBroker({
    maxClientsIdLength: 300,
    preConnect(client, _packet, done) {
      limitFrames(client, limits.backlog + 1024)
      done(null, !closing)
    },
    authenticate(client, _user, _password, done) {
      const before = (broker as unknown as { clients: Record<string, Client> }).clients[client.id]
      if (before && !before.closed) {
        counters.takeovers++
        conflicts.note(client.id, now())
      }
      done(null, true)
    },
    authorizeSubscribe(client, subscription, done) {
      done(null, mayHear(sessionOf(client), subscription.topic) ? subscription : null)
    },
    // aedes acknowledges QoS 1 before subscribers run but after this hook: the one place to store first (ADR 1).
    authorizePublish(client, packet, done) {
      if (!client) return done(null)
      if (closing) return done(new Error('the hub is stopping'))
      counters.messages++
      const ours = maySay(sessionOf(client), packet.topic)
      const payload = toBytes(packet.payload)
      silence(packet)
      if (!ours) {
        // Acknowledged and dropped: an error here is sent again for ever, and it will not become right.
        counters.foreignTopics++
        return done(null)
      }
      intake.take(sessionOf(client), ours, payload).then(() => done(null), done)
    },
  })

  const server = createServer((socket) => {
    socket.setNoDelay(true)
    broker.handle(socket)
  })
  server.listen(port, host)
  await once(server, 'listening').catch((error: Error) => {
    throw new Error(`agents cannot be heard on ${host}:${port}: ${error.message}`, { cause: error })
  })

  const heardAt = (server.address() as { port: number }).port
  const since = new Date(now()).toISOString()

  return {
    port: heardAt,
    status: (): BrokerStatus => ({
      ...{ kind: 'embedded', address: `${host}:${heardAt}` },
      ...{ connected: true, since, reason: null },
    }),
    counters: (): Readonly<typeof counters> & { connections: number } => ({
      ...counters,
      connections: broker.connectedClients,
    }),
    waiting: intake.waiting,
    isFailing: intake.isFailing,
    lagMs: intake.lagMs,
    isConflict: (name: string): boolean => conflicts.isConflict(name, now()),
    /** Stops hearing, and keeps what was heard. */
    async close(): Promise<void> {
      closing = true
      server.close()
      intake.flush()
      await new Promise<void>((resolve) => broker.close(resolve))
    },
  }
}

const toBytes = (payload: string | Buffer): Buffer =>
  typeof payload === 'string' ? Buffer.from(payload) : payload

/** Nobody but the hub hears agents, so aedes has nothing to pass on or to retain. */
function silence(packet: { topic: string; payload: string | Buffer; retain: boolean }): void {
  packet.topic = 'harbinger/heard'
  packet.payload = Buffer.alloc(0)
  packet.retain = false
}
