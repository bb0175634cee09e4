import { readFileSync } from 'node:fs'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { agentTopicKinds, readTopic, topic, topicFilter } from '@harbinger/shared/topics'
import { serverKey } from '@harbinger/shared/server'
import type { BrokerStatus } from './broker-status.ts'
import { type Heard, type IntakeOptions, openIntake } from './intake.ts'
import { type Namesakes, namesakes } from './namesakes.ts'
import { readStatus } from './read-message.ts'
import { newSession, type Session } from './sessions.ts'

/** A broker that somebody else runs, and how to get in. */
export type ExternalBrokerAddress = {
  /** mqtt://host:port or mqtts://host:port */
  readonly url: string
  readonly clientId: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Certificates of who signed the broker's; the system's when absent. */
  readonly caFile?: string | undefined
  /** The hub's own certificate and key, for a broker that asks for one. */
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
}

type Options = Omit<IntakeOptions, 'acknowledge'> & {
  readonly sameNames?: Namesakes
  readonly address: ExternalBrokerAddress
  /** The broker is connected anew: it may have lost what it retains, or retain what no longer holds. */
  readonly onConnected?: () => void
  readonly random?: () => number
  /** First wait before connecting again; doubled each time up to 30 s. */
  readonly reconnectMs?: number
}

/** What is taken from the broker and not committed yet; beyond it the broker is left to wait. */
const mostWaiting = { messages: 2_000, bytes: 32 * 1024 * 1024 }
const longestWaitMs = 30_000

/**
 * Hears agents through a broker that somebody else runs (docs/external-broker.md). What arrives takes the same way into
 * storage as with the embedded broker. Two things differ: the broker has acknowledged (PUBACK) what was never stored,
 * and may drop what the hub does not fetch in time. So the hub believes only what an agent says of its own numbering,
 * and acknowledges up to the first gap; the agent sends the rest again.
 */
export function openExternalBroker({
  address,
  now,
  keep,
  onKept,
  onConnected = () => {},
  log,
  sameNames = namesakes({ now }),
  random = Math.random,
  reconnectMs = 1_000,
}: Options) {
  const intake = openIntake({ now, keep, onKept, log, acknowledge })
  let session = newHubSession()
  let attempts = 0
  let isHeard = false
  let closing = false
  let reason: string | undefined = 'not connected yet'
  let since = now()
  const waiting = { messages: 0, bytes: 0 }
  let goOn: (() => void)[] = []

  const client = connect(address.url, {
    ...brokerCredentials(address),
    clientId: address.clientId,
    protocolVersion: 4,
    // What a broker would keep for an absent hub is less than the agents keep, and not in order.
    clean: true,
    resubscribe: false,
    queueQoSZero: false,
    keepalive: 30,
    connectTimeout: 10_000,
    reconnectPeriod: reconnectMs,
  })

  function acknowledge(server: string, payload: string): void {
    // A lost acknowledgement is made good by the next one.
    if (client.connected) client.publish(topic(server, 'ack'), payload, { qos: 0 })
  }

  client.on('connect', () => {
    attempts = 0
    client.options.reconnectPeriod = reconnectMs
    session = newHubSession()
    subscribeTo(client).then(
      () => {
        isHeard = true
        reason = undefined
        since = now()
        log.info({ broker: shownUrl(address.url) }, 'connected to the broker; agents are heard')
        onConnected()
      },
      (error: Error) => refused(`the broker refuses the subscription: ${error.message}`),
    )
  })

  client.on('close', () => {
    attempts++
    const wait = Math.min(longestWaitMs, reconnectMs * 2 ** attempts)
    client.options.reconnectPeriod = Math.round(wait * (0.5 + random() / 2))
    if (closing) return
    if (isHeard) since = now()
    if (isHeard || reason === undefined) refused('the connection was lost')
    isHeard = false
  })

  client.on('error', (error) => {
    if (!isHeard) refused(error.message || (error as NodeJS.ErrnoException).code || 'unknown')
  })

  function refused(text: string): void {
    if (reason !== text) {
      log.warn(
        { broker: shownUrl(address.url), reason: text },
        'no agent is heard: the hub is not connected to its broker; agents keep their samples',
      )
    }
    reason = text
  }

  client.handleMessage = (packet, done) => {
    const bytes = Buffer.from(packet.payload)
    hear(packet.topic, bytes, packet.retain)
    if (isFull()) goOn.push(done)
    else done()
  }

  const isFull = () =>
    waiting.messages >= mostWaiting.messages || waiting.bytes >= mostWaiting.bytes

  function hear(name: string, payload: Buffer, isRetained: boolean): void {
    if (closing) return
    intake.counters.messages++
    const heard = readTopic(name)
    if (!heard || !isOfAgent(heard.kind)) {
      intake.counters.foreignTopics++
      return
    }
    // A connection of this agent begins; what is retained tells of one that began before.
    if (heard.kind === 'status' && !isRetained) session.begun.delete(serverKey(heard.server))
    if (heard.kind === 'status' && !isRetained) noteSpeaker(heard.server, payload)
    if (heard.kind !== 'status' && !sameNames.isKept(heard.server)) {
      // Not acknowledged: it keeps what it measures until it has a name of its own.
      intake.counters.notKept++
      return
    }
    waiting.messages++
    waiting.bytes += payload.length
    intake
      .take(session, { ...(heard as Heard), retained: isRetained }, payload)
      // Said by the intake; the agent is not acknowledged and sends it again.
      .catch(() => {})
      .finally(() => {
        waiting.messages--
        waiting.bytes -= payload.length
        if (isFull()) return
        for (const go of goOn.splice(0)) go()
      })
  }

  /** Of one name the broker lets the last one in that connects: whoever said that it is there speaks now. */
  function noteSpeaker(server: string, payload: Buffer): void {
    const said = readStatus(payload)
    if ('status' in said && said.status.state === 'online' && said.status.instance !== undefined) {
      sameNames.speaks(server, said.status.instance)
    }
  }

  return {
    port: undefined,
    localPort: undefined,
    /** Whom it lets in, and whose connection it ends, the broker decides alone. */
    recheck(): void {},
    /** Unknown here. */
    isConnected: (_server: string): boolean | undefined => undefined,
    status: (): BrokerStatus => ({
      kind: 'external',
      address: shownUrl(address.url),
      connected: isHeard,
      since: new Date(since).toISOString(),
      reason: reason ?? null,
    }),
    counters: () => ({ ...intake.counters, connections: Number(isHeard) }),
    /** Tells an agent its interval, retained; null takes that back. False while nobody can be told. */
    tellInterval(server: string, seconds: number | null): boolean {
      if (!client.connected) return false
      const payload = seconds === null ? '' : JSON.stringify({ intervalSeconds: seconds })
      // Not QoS 1: the client would send an older one again after a newer one. After a lost connection all are told anew.
      client.publish(topic(server, 'config'), payload, { qos: 0, retain: true })
      return true
    },
    wire: intake.wire,
    waiting: intake.waiting,
    isFailing: intake.isFailing,
    lagMs: intake.lagMs,
    heardAt: intake.heardAt,
    isConflict: (name: string): boolean => sameNames.conflict(name) !== undefined,
    /** Stops hearing, and keeps what was heard. */
    async close(): Promise<void> {
      closing = true
      intake.flush()
      goOn = []
      await client.endAsync(!client.connected)
    },
  }
}

/** One for all agents: they come and go behind the broker. */
const newHubSession = (): Session => ({ ...newSession('', false), inOrder: false })

/** Status first: it says from where on an agent has samples. */
async function subscribeTo(client: MqttClient): Promise<void> {
  for (const kind of ['status', 'inventory', 'samples', 'backlog'] as const) {
    await client.subscribeAsync(topicFilter(kind), { qos: 1 })
  }
}

const isOfAgent = (kind: string): boolean => (agentTopicKinds as readonly string[]).includes(kind)

/** Without name and password, should they stand in it. */
export function shownUrl(url: string): string {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}

/** What the hub proves itself with to a broker, and by what it believes it. Throws where a file cannot be read. */
export function brokerCredentials({
  username,
  password,
  caFile,
  certFile,
  keyFile,
}: ExternalBrokerAddress) {
  const read = (file: string, what: string): Buffer => {
    try {
      return readFileSync(file)
    } catch (error) {
      throw new Error(`${what} ${file} cannot be read: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(caFile !== undefined && { ca: read(caFile, 'broker.caFile') }),
    ...(certFile !== undefined && { cert: read(certFile, 'broker.certFile') }),
    ...(keyFile !== undefined && { key: read(keyFile, 'broker.keyFile') }),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  } satisfies IClientOptions & { minVersion: string }
}
