import { readAgentConfig } from '@harbinger/shared/interval'
import type { Inventory, Status } from '@harbinger/shared/sample'
import { lostReason, topic } from '@harbinger/shared/topics'
import { contractVersion } from '@harbinger/shared/version'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { AgentSample } from '../sample/sampler.ts'
import { connectMqtt, type CredentialFiles } from './connection.ts'
import { replayOf } from './replay.ts'
import type { Spool } from './spool.ts'

export type Publisher = Awaited<ReturnType<typeof openPublisher>>

type Options = {
  readonly server: string
  readonly hubUrl: string
  readonly credentials?: CredentialFiles
  readonly spool: Spool
  /** The number that the next sample will have. */
  readonly nextSeq: () => number
  /** What the server is now; told at each connection, and when the hub changed it. */
  readonly inventory: () => Inventory
  readonly clock: Clock
  readonly log: Log
  /** What the hub asks for; null when it asks for nothing. */
  readonly onInterval: (seconds: number | null) => void
  /** Half of the longest first wait before connecting again; doubled each time up to `maxReconnectMs`. */
  readonly reconnectMs?: number
  readonly random?: () => number
}

const maxReconnectMs = 30_000
const goodbyeMs = 2_000
/** A broker sends what it retains right after the subscription; what has not come by then does not exist. */
const configWaitMs = 10_000

/**
 * Brings samples to the hub and keeps each until the hub has committed it. A live sample goes out at once; what was
 * not acknowledged when a connection begins goes out beside the live ones as backlog (replay.ts).
 */
export async function openPublisher({
  server,
  hubUrl,
  credentials,
  spool,
  nextSeq,
  inventory,
  clock,
  log,
  onInterval,
  reconnectMs = 5_000,
  random = Math.random,
}: Options) {
  /** Another process of the same name has another one. */
  const instance = Math.floor(random() * 2 ** 52).toString(36)
  let lastAck: { readonly upTo: number; readonly at: number } | undefined
  let attempts = 0
  let greeting: 'started' | 'reconnected' | undefined
  let isReachable: boolean | undefined
  /** Why the last connection failed, and what of it was said. */
  let reason: string | undefined
  let toldReason: string | undefined
  /** Nothing is said after the goodbye; what is still sampled lies in the spool. */
  let isClosing = false
  let lastFailure: { readonly reason: string; readonly at: number } | undefined
  /** A connection ends because the next one proves itself otherwise. */
  let isChanging = false
  let toldInventory: string | undefined
  /** Whether this connection brought a configuration; it may come before the answer to the subscription. */
  let isConfigHeard = false
  let stopWaitingForConfig = () => {}

  const statusNow = (state: Status['state'], reason: string, oldest?: number): string =>
    JSON.stringify({
      state,
      reason,
      at: clock.now(),
      v: contractVersion,
      instance,
      ...(oldest !== undefined && { oldest }),
    } satisfies Status)

  const will = {
    topic: topic(server, 'status'),
    qos: 1,
    retain: true,
  } as const
  const lastWords = () => ({
    ...will,
    payload: Buffer.from(statusNow('offline', lostReason)),
  })

  const client = await connectMqtt(
    hubUrl,
    {
      clientId: server,
      protocolVersion: 4,
      // The spool remembers for us, across brokers that forget sessions.
      clean: true,
      resubscribe: false,
      // The hub hears of a cable that is pulled one and a half times this after the last word.
      keepalive: 15,
      connectTimeout: 10_000,
      reconnectPeriod: reconnectWait(1, { firstMs: reconnectMs, random }),
      will: lastWords(),
    },
    credentials,
  )

  const send = (kind: 'status' | 'inventory', payload: string) =>
    client.publish(topic(server, kind), payload, { qos: 1, retain: true })

  const replay = replayOf(spool, {
    nextSeq,
    clock,
    log,
    send: (payload) => client.publishAsync(topic(server, 'backlog'), payload, { qos: 1 }),
    sayOldest: (oldest) => send('status', statusNow('online', greeting ?? 'started', oldest)),
  })

  client.on('connect', () => {
    attempts = 0
    // Now, not when the connection ends: by then the client has begun to wait.
    client.options.reconnectPeriod = reconnectWait(1, { firstMs: reconnectMs, random })
    log.info({ hub: hubUrl, waiting: spool.state().samples }, 'connected to the hub')
    isReachable = true
    isChanging = false
    toldReason = undefined
    isConfigHeard = false
    lastFailure = undefined
    client.subscribe([topic(server, 'ack'), topic(server, 'config')], { qos: 1 }, (error) => {
      // A connection that broke meanwhile says so itself.
      if (error && client.connected)
        log.error({ reason: error.message }, 'the broker refuses acknowledgements')
      if (!error && client.connected && !isConfigHeard) waitForConfig()
    })
    greeting = greeting === undefined ? 'started' : 'reconnected'
    replay.begin()
    sayInventory()
  })

  client.on('close', () => {
    replay.stop()
    stopWaitingForConfig()
    forgetInFlight(client)
    attempts++
    const next = attempts + 1
    client.options.reconnectPeriod = reconnectWait(next, { firstMs: reconnectMs, random })
    client.options.will = lastWords()
    if (!isChanging)
      lastFailure = { reason: reason ?? 'the connection was closed', at: clock.now() }
    const isNews = isReachable !== false || (reason !== undefined && reason !== toldReason)
    if (isNews && !isChanging) {
      log.warn({ hub: hubUrl, reason }, 'no connection to the hub; samples are kept')
      toldReason = reason
    }
    reason = undefined
    isReachable = false
  })

  client.on('error', (error) => {
    reason = (error as { code?: unknown }).code === nameTaken ? takenReason(server) : error.message
    log.debug({ reason }, 'connection failed')
  })

  client.on('message', (name, payload) => {
    if (name === topic(server, 'ack')) onAck(readUpTo(payload))
    else if (name === topic(server, 'config')) onConfig(payload.toString('utf8'))
  })

  function onConfig(payload: string) {
    isConfigHeard = true
    stopWaitingForConfig()
    const asked = readAgentConfig(payload)
    if ('seconds' in asked) return follow(asked.seconds)
    log.warn(
      { topic: topic(server, 'config'), reason: asked.rejected },
      'configuration from the hub ignored; the interval stays as it is',
    )
  }

  /** What the hub took back while this agent was away comes as silence. */
  function waitForConfig() {
    stopWaitingForConfig()
    stopWaitingForConfig = clock.after(configWaitMs, () => follow(null))
  }

  function follow(seconds: number | null) {
    onInterval(seconds)
    if (JSON.stringify(inventory()) !== toldInventory && client.connected) sayInventory()
  }

  function sayInventory() {
    toldInventory = JSON.stringify(inventory())
    send('inventory', toldInventory)
  }

  function onAck(upTo: number | undefined) {
    if (upTo === undefined) return log.warn({}, 'acknowledgement without a sequence number ignored')
    lastAck = { upTo, at: clock.now() }
    spool.forgetUpTo(upTo)
    replay.onAck(upTo)
  }

  return {
    publish(sample: AgentSample): void {
      const json = JSON.stringify(sample)
      spool.add({ seq: sample.seq, at: sample.at, json })
      // Offline the client would queue without bound; the spool is the queue.
      if (!client.connected || isClosing) return
      replay.onLive(sample.seq)
      client.publish(topic(server, 'samples'), json, { qos: 1 })
    },
    state: () => ({ connected: client.connected, lastAck, lastFailure, spool: spool.state() }),
    /** Connects anew, to prove itself with what it has now. A clean end, so that nobody takes it for a failure. */
    async connectAnew(): Promise<void> {
      if (!client.connected) return
      replay.stop()
      isChanging = true
      await client.endAsync(false)
      client.reconnect()
    },
    /** Says goodbye, so that the hub does not take a stop for a failure; a hub that does not listen is not waited for. */
    async close(reason = 'stopped'): Promise<void> {
      replay.stop()
      isClosing = true
      stopWaitingForConfig()
      const isHeard = client.connected && (await sayGoodbye(reason))
      await client.endAsync(!isHeard)
    },
  }

  function sayGoodbye(reason: string): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = clock.after(goodbyeMs, () => resolve(false))
      const finish = (isHeard: boolean) => {
        cancel()
        resolve(isHeard)
      }
      client.once('close', () => finish(false))
      client.publish(will.topic, statusNow('offline', reason), { qos: 1, retain: true }, (error) =>
        finish(!error),
      )
    })
  }
}

/**
 * How long to wait before connecting the next time: up to 10 s at first, then up to 30 s, and anywhere between a tenth
 * of it and all of it. Ten thousand agents lose a hub at the same moment and must not come back at the same moment;
 * one that waits 10 s is not yet missed.
 */
export function reconnectWait(
  attempts: number,
  { firstMs, random }: { readonly firstMs: number; readonly random: () => number },
): number {
  const longest = Math.min(maxReconnectMs, firstMs * 2 ** attempts)
  return Math.round(longest * (0.1 + 0.9 * random()))
}

/** What a broker answers to a second agent of one name (MQTT 3.1.1, 3.2.2.3: identifier rejected). */
const nameTaken = 2
const takenReason = (server: string): string =>
  `another live agent calls itself ${server} at this hub; this one keeps its samples until it has a name of its own: set "server" in its configuration and join again, or stop the other one`

/** The client would send again what it had sent, ahead of everything else; the spool does, in order and once. */
function forgetInFlight(client: { outgoing: object; removeOutgoingMessage(id: number): unknown }) {
  for (const id of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(id))
}

/** What an acknowledgement says; undefined when it is none. */
function readUpTo(payload: Buffer): number | undefined {
  try {
    const value: unknown = (JSON.parse(payload.toString('utf8')) as { upTo?: unknown }).upTo
    return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
  } catch {
    return undefined
  }
}
