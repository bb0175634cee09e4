import type { Socket } from 'node:net'
import { Aedes, type Client } from 'aedes'
import { isServerName, serverKey } from '@harbinger/shared/server'
import { topic } from '@harbinger/shared/topics'
import type { AgentName } from '../identity/agent-name.ts'
import type { BrokerStatus } from './broker-status.ts'
import { type IntakeOptions, openIntake } from './intake.ts'
import { limitFrames } from './limit-frames.ts'
import { type AgentGate, listen } from './listen.ts'
import { limits, readStatus } from './read-message.ts'
import { type Namesakes, namesakes } from './namesakes.ts'
import { fleetClientPrefix, newSession, type Session, takeovers } from './sessions.ts'
import { mayHear, maySay } from './topic-rights.ts'

export type BrokerOptions = Omit<IntakeOptions, 'acknowledge'> & {
  readonly sameNames?: Namesakes
  readonly host: string
  readonly port: number
  /** TLS with certificates on both sides; undefined hears agents in the clear. */
  readonly gate?: AgentGate | undefined
  /** Also a port in the clear that only this machine reaches, for a simulated fleet beside TLS. */
  readonly alsoLocal?: boolean
}

export type Broker = Awaited<ReturnType<typeof openBroker>>

/** Where agents are heard. What they say is acknowledged when it is committed, nonsense when it is counted. */
export async function openBroker(options: BrokerOptions) {
  const { host, port, gate, alsoLocal = false, now, keep, onKept, log } = options
  const { sameNames = namesakes({ now }) } = options
  const sessions = new WeakMap<Client, Session>()
  /** Whom a connection's certificate speaks for. */
  const names = new WeakMap<object, AgentName>()
  /** What an agent made up for itself when it started; it stands in its last will. */
  const instances = new WeakMap<Client, string>()
  /** Of agents that made up nothing. */
  const conflicts = takeovers()
  const intake = openIntake({
    ...{ now, keep, onKept, log },
    acknowledge: (server, payload) => acknowledge(server, payload),
  })
  const { counters } = intake
  let connectionsRefused = 0
  let closing = false

  const sessionOf = (client: Client): Session => {
    const known = sessions.get(client)
    if (known) return known
    const address = (client.conn as Socket).remoteAddress ?? ''
    // A certificate speaks for one server, wherever it is used.
    const isLocal = !names.has(client.conn) && /^(::ffff:)?127\.|^::1$/.test(address)
    const session = newSession(client.id, isLocal)
    sessions.set(client, session)
    return session
  }

  const acknowledge = (server: string, payload: string): void =>
    broker.publish(
      {
        cmd: 'publish',
        topic: topic(server, 'ack'),
        payload,
        // A lost acknowledgement is made good by the next one.
        qos: 0,
        retain: false,
        dup: false,
      },
      () => {},
    )

  const broker = await Aedes.createBroker({
    maxClientsIdLength: 300,
    preConnect(client, packet, done) {
      limitFrames(client, limits.backlog + 1024)
      const name = names.get(client.conn)
      // The certificate says who it is, whatever client id it calls itself: nobody takes another's place.
      if (name) packet.clientId = serverKey(name.server)
      else if (isAgentId(packet.clientId)) packet.clientId = serverKey(packet.clientId)
      const will = packet.will && readStatus(Buffer.from(packet.will.payload))
      if (will && 'status' in will && will.status.instance !== undefined) {
        instances.set(client, will.status.instance)
      }
      done(null, !closing)
    },
    authenticate(client, _user, _password, done) {
      const name = names.get(client.conn)
      const reason = name && gate?.mayConnect(name)
      if (name && reason !== undefined) {
        refused(reason, (client.conn as Socket).remoteAddress ?? '')
        return done(Object.assign(new Error(reason), { returnCode: 5 }), false)
      }
      const isConnected = clients()[client.id]?.closed === false
      const id = instances.get(client)
      const address = (client.conn as Socket).remoteAddress ?? null
      if (id !== undefined) {
        // Whichever it is, an agent of this name lives.
        intake.noteHeard(client.id)
        if (!sameNames.mayConnect(client.id, { id, address }, isConnected)) {
          counters.notKept++
          refused(`another agent named ${client.id} is connected`, address ?? '')
          return done(Object.assign(new Error('the name is taken'), { returnCode: 2 }), false)
        }
      } else if (isConnected) conflicts.note(client.id, now())
      if (isConnected) counters.takeovers++
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
      // A last will comes from nobody who lives.
      if (packet !== (client as { will?: unknown }).will) sameNames.heard(client.id)
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

  // Between samples that are far apart an agent only pings.
  broker.on('ping', (_packet, client) => {
    if (!isServerName(client.id)) return
    intake.noteHeard(client.id)
    sameNames.heard(client.id)
  })
  broker.on('clientDisconnect', (client) => sameNames.ended(client.id))

  const clients = () => (broker as unknown as { clients: Record<string, Client> }).clients

  /** One that keeps trying says the same every few seconds: each reason of an address is told once a minute. */
  const told = new Map<string, number>()
  function refused(reason: string, address: string): void {
    connectionsRefused++
    const key = `${address} ${reason}`
    if (now() - (told.get(key) ?? 0) < 60_000) return
    if (told.size > 1_000) told.clear()
    told.set(key, now())
    log.warn({ address, reason }, 'an agent is not let in')
  }

  const onConnection = (socket: Socket, name: AgentName | undefined): void => {
    if (name) names.set(socket, name)
    broker.handle(socket)
  }
  const server = await listen({ host, port, gate, onConnection, onRefused: refused })
  const local = alsoLocal
    ? await listen({
        ...{ host: '127.0.0.1', port: 0, gate: undefined, onConnection, onRefused: refused },
      })
    : undefined

  const since = new Date(now()).toISOString()

  return {
    port: server.port,
    status: (): BrokerStatus => ({
      ...{ kind: 'embedded', address: `${host}:${server.port}` },
      ...{ connected: true, since, reason: null },
    }),
    /** Where a simulated fleet of this machine is heard. */
    localPort: local?.port ?? server.port,
    /** Ends connections whose certificate lets nobody in any more: revoked, replaced, past its end. */
    recheck(): void {
      for (const client of Object.values(clients())) {
        const name = names.get(client.conn)
        const reason = name && gate?.mayConnect(name)
        if (!name || reason === undefined) continue
        log.info({ server: name.server, reason }, 'connection ended')
        client.close()
        // Not the peer's to decide when it is over.
        client.conn.destroy()
      }
    },
    isConnected: (server: string): boolean | undefined =>
      clients()[serverKey(server)]?.closed === false,
    counters: () => ({
      ...counters,
      connectionsRefused,
      connections: broker.connectedClients,
    }),
    /** Tells an agent its interval, retained; null takes that back. In memory alone: a hub that starts tells again. */
    tellInterval(server: string, seconds: number | null): boolean {
      const payload = seconds === null ? '' : JSON.stringify({ intervalSeconds: seconds })
      broker.publish(
        {
          ...{ cmd: 'publish', topic: topic(server, 'config'), payload },
          ...{ qos: 1, retain: true, dup: false },
        },
        () => {},
      )
      return true
    },
    wire: intake.wire,
    waiting: intake.waiting,
    isFailing: intake.isFailing,
    lagMs: intake.lagMs,
    heardAt: intake.heardAt,
    isConflict: (name: string): boolean =>
      sameNames.conflict(name) !== undefined || conflicts.isConflict(name, now()),
    /** Stops hearing, and keeps what was heard. */
    async close(): Promise<void> {
      closing = true
      server.close()
      local?.close()
      intake.flush()
      await new Promise<void>((resolve) => broker.close(resolve))
    },
  }
}

/** A simulated fleet speaks for many. */
const isAgentId = (clientId: string): boolean =>
  isServerName(clientId) && !clientId.startsWith(fleetClientPrefix)

const toBytes = (payload: string | Buffer): Buffer =>
  typeof payload === 'string' ? Buffer.from(payload) : payload

/** Nobody but the hub hears agents, so aedes has nothing to pass on or to retain. */
function silence(packet: { topic: string; payload: string | Buffer; retain: boolean }): void {
  packet.topic = 'harbinger/heard'
  packet.payload = Buffer.alloc(0)
  packet.retain = false
}
