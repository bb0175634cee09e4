import { serverKey } from '@harbinger/shared/server'
import { topic, type TopicKind } from '@harbinger/shared/topics'

/** What a server's live samples took on the wire lately. */
export type OnWire = {
  readonly samples: number
  /** Samples with their acknowledgements, without what the agent says of itself. */
  readonly bytes: number
  /** What the agent says of itself, about once a minute whatever the interval. */
  readonly ownTimes: number
  readonly ownBytes: number
}

export type WireMeter = ReturnType<typeof wireMeter>

const bucketMs = 5 * 60_000
const buckets = 12
const fields = 4

/** What is counted, in words for people. */
export const countedOnWire =
  'counted are the MQTT packets of samples and their acknowledgements; not counted are TLS, TCP and IP headers, keep-alives, status, inventory and what is sent again'

/** A PUBLISH packet [MQTT-3.3], with packet identifier when its QoS is not 0. */
export function publishBytes(
  server: string,
  kind: TopicKind,
  { payload, qos }: { readonly payload: number; readonly qos: 0 | 1 },
): number {
  const rest = 2 + Buffer.byteLength(topic(server, kind)) + (qos === 0 ? 0 : 2) + payload
  return 1 + lengthBytes(rest) + rest
}

/** Of the remaining length, seven bits a byte [MQTT-2.2.3]. */
const lengthBytes = (rest: number): number => (rest < 128 ? 1 : rest < 16_384 ? 2 : 3)

/** PUBACK [MQTT-3.4]. */
export const pubackBytes = 4

/** Counts what live samples take on the wire, per server, over the last hour: 192 bytes a server. */
export function wireMeter(now: () => number) {
  const byServer = new Map<string, Uint32Array>()
  const startedAt = now()
  let newest = bucketOf(startedAt)

  function countsOf(server: string): Uint32Array {
    const key = serverKey(server)
    const known = byServer.get(key)
    if (known) return known
    const counts = new Uint32Array(buckets * fields)
    byServer.set(key, counts)
    return counts
  }

  /** Empties what is older than an hour; a clock that was set back leaves it as it is. */
  function cellNow(): number {
    const bucket = bucketOf(now())
    for (let b = Math.max(newest + 1, bucket - buckets + 1); b <= bucket; b++) {
      const cell = (b % buckets) * fields
      for (const counts of byServer.values()) counts.fill(0, cell, cell + fields)
    }
    newest = Math.max(newest, bucket)
    return (newest % buckets) * fields
  }

  return {
    /** A live sample of so many bytes, of which `own` are the agent's readings of itself. */
    sample(server: string, payload: number, own: number): void {
      const cell = cellNow()
      const counts = countsOf(server)
      counts[cell]! += 1
      counts[cell + 1]! += publishBytes(server, 'samples', { payload, qos: 1 }) + pubackBytes - own
      if (own === 0) return
      counts[cell + 2]! += 1
      counts[cell + 3]! += own
    },
    acknowledgement(server: string, payload: number): void {
      const counts = byServer.get(serverKey(server))
      if (counts) counts[cellNow() + 1]! += publishBytes(server, 'ack', { payload, qos: 0 })
    },
    /** Undefined of a server that sent no live sample lately. */
    of(server: string): OnWire | undefined {
      cellNow()
      const counts = byServer.get(serverKey(server))
      const sum = (field: number): number => {
        let total = 0
        for (let b = 0; b < buckets; b++) total += counts![b * fields + field]!
        return total
      }
      if (!counts || sum(0) === 0) return undefined
      return { samples: sum(0), bytes: sum(1), ownTimes: sum(2), ownBytes: sum(3) }
    },
    /** How far back it counts. */
    minutes: (): number => Math.min(buckets * bucketMs, now() - startedAt) / 60_000,
  }
}

const bucketOf = (at: number): number => Math.floor(at / bucketMs)

const daySeconds = 86_400
const ownEverySeconds = 60

/** Bytes a day of a server at an interval, from what its samples took. */
export function bytesPerDay({ samples, bytes, ownTimes, ownBytes }: OnWire, seconds: number) {
  const ownEvery = Math.ceil(ownEverySeconds / seconds) * seconds
  const own = ownTimes === 0 ? 0 : ownBytes / ownTimes
  return (daySeconds / seconds) * (bytes / samples) + (daySeconds / ownEvery) * own
}
