import type { Inventory, Status } from '@harbinger/shared/sample'
import { topic } from '@harbinger/shared/topics'
import { contractVersion } from '@harbinger/shared/version'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { AgentSample } from '../sample/sampler.ts'
import { connectMqtt, type CredentialFiles } from './connection.ts'
import { type Replay, replayOf } from './replay.ts'
import type { Spool } from './spool.ts'

export type Publisher = Awaited<ReturnType<typeof openPublisher>>

type Options = {
  readonly server: string
  readonly hubUrl: string
  readonly credentials?: CredentialFiles
  readonly spool: Spool
  readonly inventory: Inventory
  readonly clock: Clock
  readonly log: Log
  readonly onInterval: (seconds: number) => void
  /** First wait before connecting again; doubled each time up to `maxReconnectMs`. */
  readonly reconnectMs?: number
  readonly random?: () => number
}

const maxReconnectMs = 30_000
/** One message of the backlog: about 25 kB, so that a live sample waits behind it for milliseconds. */
const backlogBatch = 500
/** A hub that commits answers within milliseconds; one silent for longer has been away and may have missed samples. */
const silenceMs = 30_000
const goodbyeMs = 2_000

/**
 * Brings samples to the hub and keeps each until the hub has committed it. A live sample goes out at once; what was
 * not acknowledged when a connection begins goes out beside the live ones as backlog, oldest first: a JSON array,
 * deflated in zlib's format (RFC 1950).
 */
export async function openPublisher({
  server,
  hubUrl,
  credentials,
  spool,
  inventory,
  clock,
  log,
  onInterval,
  reconnectMs = 1_000,
  random = Math.random,
}: Options) {
  /** What a new connection owes the hub; undefined when all of it is with the broker. */
  let replay: Replay | undefined
  /**
   * An acknowledgement above `end` answers a live sample. Only from `after` on, the first one sent behind the whole
   * backlog, does it also say that the backlog is committed.
   */
  let backlog: { readonly end: number; after?: number } | undefined
  /** Since when something sent has waited for an acknowledgement (monotonic ms). */
  let waitingSince: number | undefined
  let lastAck: { readonly upTo: number; readonly at: number } | undefined
  let attempts = 0
  let hasConnected = false
  let isReachable: boolean | undefined
  /** Why the last connection failed, and what of it was said. */
  let reason: string | undefined
  let toldReason: string | undefined
  /** A connection ends because the next one proves itself otherwise. */
  let isChanging = false

  const statusNow = (state: Status['state'], reason: string): string =>
    JSON.stringify({ state, reason, at: clock.now(), v: contractVersion } satisfies Status)

  const will = {
    topic: topic(server, 'status'),
    qos: 1,
    retain: true,
  } as const
  const lastWords = () => ({
    ...will,
    payload: Buffer.from(statusNow('offline', 'connection lost')),
  })

  const client = await connectMqtt(
    hubUrl,
    {
      clientId: server,
      protocolVersion: 4,
      // The spool remembers for us, across brokers that forget sessions.
      clean: true,
      resubscribe: false,
      keepalive: 30,
      connectTimeout: 10_000,
      reconnectPeriod: reconnectMs,
      will: lastWords(),
    },
    credentials,
  )

  const send = (kind: 'status' | 'inventory', payload: string) =>
    client.publish(topic(server, kind), payload, { qos: 1, retain: true })

  client.on('connect', () => {
    attempts = 0
    client.options.reconnectPeriod = reconnectMs
    log.info({ hub: hubUrl, waiting: spool.size() }, 'connected to the hub')
    isReachable = true
    isChanging = false
    toldReason = undefined
    client.subscribe([topic(server, 'ack'), topic(server, 'config')], { qos: 1 }, (error) => {
      if (error) log.error({ reason: error.message }, 'the broker refuses acknowledgements')
    })
    send('status', statusNow('online', hasConnected ? 'reconnected' : 'started'))
    send('inventory', JSON.stringify(inventory))
    hasConnected = true
    startReplay()
  })

  client.on('close', () => {
    replay = undefined
    attempts++
    // Ten thousand agents lose a hub at the same moment and must not come back at the same moment.
    const wait = Math.min(maxReconnectMs, reconnectMs * 2 ** attempts)
    client.options.reconnectPeriod = Math.round(wait * (0.5 + random() / 2))
    client.options.will = lastWords()
    const isNews = isReachable !== false || (reason !== undefined && reason !== toldReason)
    if (isNews && !isChanging) {
      log.warn({ hub: hubUrl, reason }, 'no connection to the hub; samples are kept')
      toldReason = reason
    }
    reason = undefined
    isReachable = false
  })

  client.on('error', (error) => {
    reason = error.message
    log.debug({ reason }, 'connection failed')
  })

  client.on('message', (name, payload) => {
    if (name === topic(server, 'ack')) onAck(readNumber(payload, 'upTo'))
    else if (name === topic(server, 'config')) {
      const seconds = readNumber(payload, 'intervalSeconds')
      if (seconds !== undefined && seconds >= 1 && seconds <= 300) onInterval(seconds)
      else {
        log.warn(
          { got: payload.toString('utf8').slice(0, 80) },
          'interval from the hub ignored: expected 1 to 300 whole seconds',
        )
      }
    }
  })

  function startReplay() {
    const end = spool.last()
    if (end === undefined || spool.size() === 0) return
    waitingSince = clock.monotonicMs()
    backlog = { end }
    replay = replayOf(spool, { end, batch: backlogBatch })
    void runReplay(replay)
  }

  async function runReplay(own: Replay) {
    for (let samples = own.next(); samples; samples = own.next()) {
      const payload = await deflated(`[${samples.map(({ json }) => json).join(',')}]`)
      if (replay !== own) return
      // The next one goes when the broker has this one: it is never more than one batch ahead of the live samples.
      await client
        .publishAsync(topic(server, 'backlog'), payload, { qos: 1 })
        .catch((error: Error) => log.debug({ reason: error.message }, 'backlog interrupted'))
      if (replay !== own) return
    }
    replay = undefined
  }

  function onAck(upTo: number | undefined) {
    if (upTo === undefined) return log.warn({}, 'acknowledgement without a sequence number ignored')
    const now = clock.monotonicMs()
    lastAck = { upTo, at: clock.now() }
    if (!replay && waitingSince !== undefined && now - waitingSince > silenceMs) {
      // The broker stayed and the hub was away: this answers the latest sample, not those it missed before.
      log.info({ waiting: spool.size() }, 'the hub is back; unacknowledged samples are sent again')
      return startReplay()
    }
    if (backlog && upTo > backlog.end) {
      if (backlog.after === undefined || upTo < backlog.after) {
        waitingSince = now
        return
      }
      backlog = undefined
    }
    spool.forgetUpTo(replay ? Math.min(upTo, replay.takenUpTo()) : upTo)
    waitingSince = spool.size() > 0 ? now : undefined
  }

  return {
    publish(sample: AgentSample): void {
      const json = JSON.stringify(sample)
      spool.add({ seq: sample.seq, json })
      // Offline the client would queue without bound; the spool is the queue.
      if (!client.connected) return
      waitingSince ??= clock.monotonicMs()
      if (backlog && !replay) backlog.after ??= sample.seq
      client.publish(topic(server, 'samples'), json, { qos: 1 })
    },
    state: () => ({
      connected: client.connected,
      lastAck,
      spooled: spool.size(),
      dropped: spool.dropped(),
    }),
    /** Connects anew, to prove itself with what it has now. A clean end, so that nobody takes it for a failure. */
    async connectAnew(): Promise<void> {
      if (!client.connected) return
      replay = undefined
      isChanging = true
      await client.endAsync(false)
      client.reconnect()
    },
    /** Says goodbye, so that the hub does not take a stop for a failure; a hub that does not listen is not waited for. */
    async close(reason = 'stopped'): Promise<void> {
      replay = undefined
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

/** zlib is loaded when there is a backlog for the first time: 1.5 MB that most agents never need. */
async function deflated(text: string): Promise<Buffer> {
  const { deflate } = await import('node:zlib')
  return new Promise((resolve, reject) =>
    deflate(text, (error, bytes) => (error ? reject(error) : resolve(bytes))),
  )
}

/** An integer field of a message from the hub; undefined when the message is anything else. */
function readNumber(payload: Buffer, field: 'upTo' | 'intervalSeconds'): number | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'))[field]
    return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
  } catch {
    return undefined
  }
}
