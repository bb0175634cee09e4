import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { defaultIntervalSeconds, maxIntervalSeconds, minIntervalSeconds } from './interval.ts'
import {
  cpuParts,
  cpuSumTolerance,
  deprecatedMetricNames,
  isMetricName,
  metricNames,
  metrics,
  type Readings,
} from './metrics.ts'
import { contractMismatch } from './version.ts'

/** Where two clocks differ by more than this, the arrival time places a sample on the time axis. */
export const maxClockSkewMs = 5 * 60_000

const reading = (name: (typeof metricNames)[number]) =>
  Type.Optional(
    Type.Number({ minimum: 0, ...(metrics[name].max === undefined ? {} : { maximum: 100 }) }),
  )

/** The readings of the contract, each optional: absent means it could not be taken. */
export const ReadingsSchema = Type.Object(
  Object.fromEntries(metricNames.map((name) => [name, reading(name)])) as {
    [name in (typeof metricNames)[number]]: ReturnType<typeof reading>
  },
)

/** One sample on the wire (docs/protocol.md). */
export const SampleSchema = Type.Object({
  v: Type.String({ pattern: '^\\d+\\.\\d+(\\.\\d+)?$', maxLength: 32 }),
  seq: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  at: Type.Integer({ minimum: 0, maximum: 8.64e15, description: 'agent time, ms since epoch' }),
  cores: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_536 })),
  m: ReadingsSchema,
})

export type Sample = Static<typeof SampleSchema>

/** What a sample may also carry: known, not kept yet, and not counted as unknown. */
export const extraReadingNames = ['cpu_steal_pct'] as const

/** What an agent reads of itself about once a minute, beside the server's metrics. */
export const agentReadingNames = [
  'agent_cpu_pct',
  'agent_rss_mb',
  'agent_spool_samples',
  'agent_spool_mb',
  'agent_dropped',
  'agent_spool_fault',
] as const

/** CPU in % of one core, memory and disk in 10⁶ bytes; a fault is 1 while the disk does not take samples. */
export type AgentReadings = { readonly [name in (typeof agentReadingNames)[number]]?: number }

const isAgentReading = (name: string): boolean =>
  (agentReadingNames as readonly string[]).includes(name)

const isExtra = (name: string): boolean =>
  (extraReadingNames as readonly string[]).includes(name) || isAgentReading(name)

const CheckedSample = Compile(SampleSchema)

export type SampleVerdict =
  | {
      readonly sample: Sample
      readonly unknownReadings: number
      /** What the agent says of itself; undefined in most samples. */
      readonly agent: AgentReadings | undefined
    }
  | { readonly rejected: RejectionReason; readonly detail: string }

/** Why a sample is quarantined; counted per server and reason. */
export type RejectionReason =
  | 'not_json'
  | 'not_a_sample'
  | 'contract_version'
  | 'deprecated_metric'
  | 'out_of_range'
  | 'cpu_sum'
  | 'from_the_future'

/**
 * Decides whether one parsed message is a sample of the contract. `now` is the receiver's clock (ms). Unknown
 * readings are dropped and counted; a known reading out of its range rejects the sample and names it.
 */
export function checkSample(message: unknown, now: number): SampleVerdict {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    return { rejected: 'not_a_sample', detail: `expected an object, got ${describe(message)}` }
  }
  const { v, m } = message as { v?: unknown; m?: unknown }
  if (typeof v === 'string') {
    const mismatch = contractMismatch(v)
    if (mismatch) return { rejected: 'contract_version', detail: mismatch }
  }
  if (typeof m !== 'object' || m === null || Array.isArray(m)) {
    return { rejected: 'not_a_sample', detail: `m: expected readings, got ${describe(m)}` }
  }
  const deprecated = deprecatedMetricNames.find((name) => Object.hasOwn(m, name))
  if (deprecated) {
    return {
      rejected: 'deprecated_metric',
      detail: `${deprecated} is a name of an earlier system and is not accepted; see docs/protocol.md`,
    }
  }
  const wrong = metricNames.find((name) => isOutOfRange(name, (m as Record<string, unknown>)[name]))
  if (wrong) {
    const { unit, max } = metrics[wrong]
    return {
      rejected: 'out_of_range',
      detail: `${wrong} = ${describe((m as Record<string, unknown>)[wrong])}, expected ${max === undefined ? 'at least 0' : `0 to ${max}`} ${unit}`,
    }
  }
  if (!CheckedSample.Check(message)) {
    const [error] = CheckedSample.Errors(message)
    return {
      rejected: 'not_a_sample',
      detail: `${error?.instancePath.slice(1) || 'sample'}: ${error?.message ?? 'not of the contract'}`,
    }
  }
  const sum = cpuSum(message.m)
  if (sum !== undefined && Math.abs(sum - 100) > cpuSumTolerance) {
    return {
      rejected: 'cpu_sum',
      detail: `user + sys + iowait + idle = ${sum.toFixed(1)}, expected 100 ± ${cpuSumTolerance}`,
    }
  }
  if (message.at > now + maxClockSkewMs) {
    return {
      rejected: 'from_the_future',
      detail: `at is ${Math.round((message.at - now) / 1000)} s ahead of the hub's clock`,
    }
  }
  const known = Object.entries(message.m).filter(([name]) => isMetricName(name))
  const unknownReadings = Object.keys(message.m).filter(
    (name) => !isMetricName(name) && !isExtra(name),
  ).length
  return {
    sample: { ...message, m: Object.fromEntries(known) as Readings },
    unknownReadings,
    agent: agentReadings(message.m),
  }
}

/** A reading of the agent's own that is no number from 0 on is left out: it is no reason to lose a sample. */
function agentReadings(readings: object): AgentReadings | undefined {
  const own = Object.entries(readings).filter(
    ([name, value]) => isAgentReading(name) && Number.isFinite(value) && (value as number) >= 0,
  )
  return own.length > 0 ? (Object.fromEntries(own) as AgentReadings) : undefined
}

/** Undefined unless all four parts are there. */
function cpuSum(readings: Readings): number | undefined {
  let sum = 0
  for (const name of cpuParts) {
    const value = readings[name]
    if (value === undefined) return undefined
    sum += value
  }
  return sum
}

const isOutOfRange = (name: (typeof metricNames)[number], value: unknown): boolean =>
  value !== undefined &&
  (typeof value !== 'number' ||
    !Number.isFinite(value) ||
    value < 0 ||
    value > (metrics[name].max ?? Number.MAX_VALUE))

const describe = (value: unknown): string =>
  value === undefined ? 'nothing' : JSON.stringify(value)?.slice(0, 60)

/** Agent → hub, retained, and the last will. */
export const StatusSchema = Type.Object({
  state: Type.Union([Type.Literal('online'), Type.Literal('offline')]),
  reason: Type.String({ maxLength: 200 }),
  at: Type.Integer({ minimum: 0 }),
  v: Type.String({ maxLength: 32 }),
  oldest: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'the agent keeps no sample older than this seq: none will come',
    }),
  ),
  instance: Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'made up by each agent when it starts: two of one name are told apart by it',
    }),
  ),
})
export type Status = Static<typeof StatusSchema>

/** Hub → agent: every sample up to and including this `seq` is committed. */
export const AckSchema = Type.Object({ upTo: Type.Integer({ minimum: 0 }) })
export type Ack = Static<typeof AckSchema>

/** Seconds between two samples. */
export const IntervalSchema = Type.Integer({
  minimum: minIntervalSeconds,
  maximum: maxIntervalSeconds,
})

/** Hub → agent, retained; empty when the hub asks for nothing any more. */
export const AgentConfigSchema = Type.Object({
  intervalSeconds: Type.Integer({ ...IntervalSchema, default: defaultIntervalSeconds }),
})
export type AgentConfig = Static<typeof AgentConfigSchema>

const text = (maxLength: number) => Type.Optional(Type.String({ maxLength }))

/** Agent → hub, retained: what the server is, as far as the agent can tell. */
export const InventorySchema = Type.Object({
  agentVersion: Type.String({ maxLength: 32 }),
  simulated: Type.Optional(Type.Boolean()),
  profile: text(32),
  os: text(200),
  kernel: text(200),
  cpuModel: text(200),
  cores: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_536 })),
  memoryBytes: Type.Optional(Type.Integer({ minimum: 1 })),
  watchedFileSystem: text(300),
  swap: Type.Optional(Type.Boolean({ description: 'false when the server has none' })),
  tags: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 })),
  interval: Type.Optional(
    Type.Object(
      {
        seconds: IntervalSchema,
        own: IntervalSchema,
        from: Type.Union([Type.Literal('own'), Type.Literal('hub')]),
      },
      { description: 'at what interval it samples now, and whether the hub asked for it' },
    ),
  ),
  unavailable: Type.Optional(
    Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 300 }), {
      description: 'metric → why this agent cannot read it',
    }),
  ),
})
export type Inventory = Static<typeof InventorySchema>
