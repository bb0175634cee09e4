import { type Static, type TSchema, Type } from 'typebox'
import { metricNames } from './metrics.ts'
import { profiles } from './profiles.ts'
import { severities } from './severity.ts'
import { states } from './states.ts'

/** The REST API in schemas: each is type, validation and OpenAPI at once. Times are ISO 8601 UTC strings. */

export const apiPrefix = '/api/v1'

const oneOf = <const Values extends string[]>(values: readonly [...Values]) => Type.Enum(values)

const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const Instant = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' })
const MetricKey = oneOf(metricNames)

export const ProblemSchema = Type.Object({
  error: Type.Object({ code: Type.String(), message: Type.String() }),
})
export type Problem = Static<typeof ProblemSchema>

export const ProfileSchema = oneOf(profiles)
export const StateSchema = oneOf(states)
export const SeveritySchema = oneOf(severities)
/** Unknown when nothing can be said of the server now: no reading and no forecast. */
export const SeverityOrUnknown = oneOf([
  'imminent_failure',
  'critical',
  'danger',
  'warning',
  'degrading',
  'watch',
  'healthy',
  'unknown',
] as const)
export type SeverityOrUnknown = Static<typeof SeverityOrUnknown>

/** `model:<id>` or `baseline:<name>`. */
const Source = Type.String({ pattern: '^(model|baseline):.+' })

const NowAndNext = Type.Object({
  now: nullable(Type.Number()),
  in30Minutes: nullable(Type.Number({ description: 'median forecast 30 minutes after now' })),
  last: Type.Optional(
    Type.Number({ description: 'the newest reading, as old as lastSeen; only where now is null' }),
  ),
})

export const presenceReasons = [
  'silent',
  'no_samples',
  'lost',
  'stopped',
  'never',
  'hub_deaf',
] as const
export const PresenceSchema = Type.Object({
  state: oneOf(['heard', 'late', 'offline'] as const),
  why: nullable(oneOf(presenceReasons)),
  since: nullable(
    Type.String({
      format: 'date-time',
      description: 'the last word, or when its agent was stopped; null while it is heard',
    }),
  ),
})
export type Presence = Static<typeof PresenceSchema>

export const TimeToThresholdSchema = Type.Object({
  threshold: Type.Number(),
  probability: Type.Number({
    minimum: 0,
    maximum: 1,
    description: 'chance of reaching the threshold within the horizon',
  }),
  earliestMinutes: nullable(
    Type.Number({ description: 'first step whose 90 % quantile reaches it' }),
  ),
  medianMinutes: nullable(Type.Number({ description: 'first step whose median reaches it' })),
  withinMinutes: Type.Optional(
    Type.Integer({ description: 'the horizon, where it is not the 8 h of all: disk, days ahead' }),
  ),
})
export type TimeToThreshold = Static<typeof TimeToThresholdSchema>

/** One row of the fleet: what the map, the table and the list show. */
export const ServerSummarySchema = Type.Object({
  name: Type.String(),
  profile: ProfileSchema,
  profileSource: oneOf(['operator', 'agent', 'rule', 'default'] as const),
  simulated: Type.Boolean(),
  tags: Type.Array(Type.String()),
  state: StateSchema,
  presence: PresenceSchema,
  severity: SeverityOrUnknown,
  risk: nullable(Type.Number({ minimum: 0, maximum: 100 })),
  riskNow: nullable(Type.Number()),
  riskPredicted: nullable(Type.Number()),
  cpuUsed: nullable(Type.Number()),
  cores: nullable(Type.Integer()),
  metrics: Type.Partial(Type.Record(MetricKey, NowAndNext)),
  cpuUsedIn30Minutes: nullable(Type.Number()),
  timeToThreshold: nullable(
    Type.Object({
      metric: MetricKey,
      ...TimeToThresholdSchema.properties,
    }),
  ),
  lastSeen: nullable(Instant),
  source: nullable(Source),
  abstained: nullable(Type.String({ description: 'why there is no forecast' })),
  conflict: Type.Boolean({ description: 'two live agents use this name' }),
})
export type ServerSummary = Static<typeof ServerSummarySchema>

export const ServersQuery = Type.Object({
  search: Type.Optional(Type.String({ maxLength: 253 })),
  profile: Type.Optional(ProfileSchema),
  severity: Type.Optional(SeverityOrUnknown),
  tag: Type.Optional(Type.String({ maxLength: 64 })),
  sort: Type.Optional(
    Type.String({
      pattern: '^-?(name|risk|cpuUsed|lastSeen|timeToThreshold|[a-z_]+)$',
      description:
        'name, risk, cpuUsed, lastSeen, timeToThreshold or a metric; a leading - reverses',
    }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
})

export const ServersPage = Type.Object({
  servers: Type.Array(ServerSummarySchema),
  nextCursor: nullable(Type.String()),
})
export type ServersPage = Static<typeof ServersPage>

export const RiskReasonSchema = Type.Object({
  component: Type.String(),
  kind: oneOf(['now', 'predicted'] as const),
  points: Type.Number(),
  text: Type.String(),
})

/** Two live agents of one name. The first is heard; of the others nothing is kept, and they keep what they measure. */
export const ConflictSchema = Type.Object({
  since: Instant,
  kept: Type.Object(
    { address: nullable(Type.String()), since: Instant },
    { description: 'the agent whose samples are kept, and since when it is heard' },
  ),
  others: Type.Array(
    Type.Object({
      address: nullable(Type.String()),
      since: Instant,
      lastAt: Instant,
      refused: Type.Integer({ description: 'connections refused; behind a broker, messages' }),
    }),
  ),
  advice: Type.String(),
})
export type Conflict = Static<typeof ConflictSchema>

export const RetirementSchema = Type.Object({
  at: Instant,
  by: Type.String({ description: 'who retired it; "the hub" after long silence' }),
  reason: Type.String(),
})
/** Of an agent's certificate; none where agents have none. */
const CertificateState = oneOf(['none', 'valid', 'revoked', 'expired'] as const)
export const RetiredServerSchema = Type.Object({
  name: Type.String(),
  profile: ProfileSchema,
  lastSeen: nullable(Instant),
  certificate: CertificateState,
  retired: RetirementSchema,
})
export type RetiredServer = Static<typeof RetiredServerSchema>
export const RetiredServersSchema = Type.Object({
  /** 0: never by itself. */
  afterDays: Type.Number({ description: 'offline for so long, a server is retired; 0 is never' }),
  servers: Type.Array(RetiredServerSchema),
})
export type RetiredServers = Static<typeof RetiredServersSchema>
export const RetireRequest = Type.Object(
  {
    reason: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
)

export const ServerDetailSchema = Type.Object({
  ...ServerSummarySchema.properties,
  conflictOf: nullable(ConflictSchema),
  retired: nullable(RetirementSchema),
  sentence: Type.String({ description: 'what is going on, in plain language' }),
  reasons: Type.Array(RiskReasonSchema),
  unknown: Type.Array(Type.String({ description: 'what the risk could not take into account' })),
  limits: Type.Partial(
    Type.Record(
      MetricKey,
      Type.Object({ warning: nullable(Type.Number()), critical: nullable(Type.Number()) }),
    ),
  ),
  inventory: nullable(Type.Record(Type.String(), Type.Unknown())),
  agent: Type.Object({
    status: oneOf(['online', 'offline', 'unknown'] as const),
    statusReason: nullable(Type.String()),
    clockSkewMs: nullable(Type.Number()),
    quarantined: Type.Record(Type.String(), Type.Integer()),
    lastQuarantined: Type.Array(
      Type.Object({ at: Instant, reason: Type.String(), detail: Type.String() }),
    ),
    certificate: CertificateState,
    unknownReadings: Type.Integer(),
    interval: Type.Object({
      seconds: Type.Number({ description: 'between two samples, now' }),
      from: oneOf(['own', 'hub', 'measured'] as const),
      own: nullable(Type.Integer({ description: "what the agent's own configuration says" })),
      rule: nullable(
        Type.Object({
          kind: oneOf(['server', 'tag', 'profile'] as const),
          target: Type.String(),
          seconds: Type.Integer(),
        }),
      ),
    }),
    /** What the agent last said of itself; null before it did. */
    own: nullable(
      Type.Object({
        at: Instant,
        cpuPct: nullable(Type.Number({ description: '% of one core' })),
        rssMb: nullable(Type.Number()),
        spoolSamples: nullable(Type.Number({ description: 'samples that waited for this hub' })),
        spoolMb: nullable(Type.Number()),
        dropped: nullable(Type.Number({ description: 'samples given up since the spool began' })),
        spoolFault: nullable(
          Type.Boolean({ description: 'the disk does not take samples; they wait in memory' }),
        ),
      }),
    ),
  }),
})
export type ServerDetail = Static<typeof ServerDetailSchema>

export const SamplesQuery = Type.Object({
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  step: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400, description: 'seconds' })),
})

const Column = Type.Array(nullable(Type.Number()))
export const SamplesSchema = Type.Object({
  server: Type.String(),
  from: Instant,
  to: Instant,
  stepSeconds: Type.Integer(),
  tier: oneOf(['raw', 'minute', 'quarter'] as const),
  at: Type.Array(Instant),
  metrics: Type.Partial(Type.Record(MetricKey, Type.Object({ mean: Column, max: Column }))),
})
export type Samples = Static<typeof SamplesSchema>

/** Keys are quantile levels as written: "0.02" … "0.98". */
const QuantileColumns = Type.Record(
  Type.String({ pattern: '^0\\.\\d+$' }),
  Type.Array(Type.Number()),
)
const QuantileValues = Type.Record(Type.String({ pattern: '^0\\.\\d+$' }), Type.Number())

export const MetricForecastSchema = Type.Object({
  source: Source,
  sourceReason: Type.String(),
  quantiles: QuantileColumns,
  daysAhead: Type.Optional(
    Type.Object({
      hours: Type.Array(Type.Number({ description: 'from windowEnd' })),
      reason: nullable(Type.String({ description: 'why it does not reach 14 days' })),
      quantiles: QuantileColumns,
    }),
  ),
})

export const ForecastQuery = Type.Object({
  fresh: Type.Optional(
    Type.Boolean({ default: false, description: 'made now, not in the last cycle' }),
  ),
})
export const ForecastSchema = Type.Object({
  server: Type.String(),
  issuedAt: Instant,
  windowEnd: Instant,
  stepMinutes: Type.Integer(),
  horizonMinutes: Type.Integer(),
  abstained: nullable(Type.String()),
  metrics: Type.Partial(Type.Record(MetricKey, MetricForecastSchema)),
  peaks: Type.Record(
    Type.String({ pattern: '^\\d+$' }),
    Type.Partial(Type.Record(MetricKey, QuantileValues)),
  ),
  timeToThreshold: Type.Partial(Type.Record(MetricKey, TimeToThresholdSchema)),
})
export type Forecast = Static<typeof ForecastSchema>

export const EnvironmentSchema = Type.Object({
  status: SeverityOrUnknown,
  sentence: Type.String(),
  incidentProbability30m: nullable(Type.Number()),
  incidentProbability8h: nullable(Type.Number()),
  how: Type.String({ description: 'how the probabilities were computed' }),
})

export const FleetSchema = Type.Object({
  at: Instant,
  total: Type.Integer(),
  simulated: Type.Integer(),
  bySeverity: Type.Record(Type.String(), Type.Integer()),
  byState: Type.Record(Type.String(), Type.Integer()),
  byPresence: Type.Object({
    heard: Type.Integer(),
    late: Type.Integer(),
    offline: Type.Integer(),
  }),
  environment: EnvironmentSchema,
  topRisks: Type.Array(ServerSummarySchema),
  demo: nullable(Type.Object({ scenario: Type.String(), scenarios: Type.Array(Type.String()) })),
})
export type Fleet = Static<typeof FleetSchema>

export const HealthSchema = Type.Object({
  status: oneOf(['starting', 'ok', 'degraded'] as const),
  problems: Type.Array(Type.String()),
  version: Type.String(),
  contractVersion: Type.String(),
  node: Type.String(),
  startedAt: Instant,
  uptimeSeconds: Type.Number(),
  model: nullable(Type.Object({ id: Type.String(), kind: Type.String(), trainedAt: Instant })),
  modelProblem: nullable(Type.String()),
  /** Where the network really runs; 'none' without a model. */
  device: oneOf(['cpu', 'webgpu', 'cuda', 'none'] as const),
  deviceReason: nullable(Type.String()),
  /** Where agents are heard: the hub's own broker, or one that somebody else runs. */
  broker: Type.Object({
    kind: oneOf(['embedded', 'external'] as const),
    address: Type.String(),
    connected: Type.Boolean(),
    since: Instant,
    reason: nullable(Type.String({ description: 'why it is not connected' })),
  }),
  ingestLagMs: nullable(Type.Number()),
  lastCycle: nullable(
    Type.Object({
      at: Instant,
      servers: Type.Integer(),
      forecast: Type.Integer(),
      abstained: Type.Integer(),
      ms: Type.Object({
        window: Type.Number(),
        forecast: Type.Number(),
        risk: Type.Number(),
        commit: Type.Number(),
        total: Type.Number(),
      }),
    }),
  ),
  queues: Type.Record(Type.String(), Type.Integer()),
  counters: Type.Record(Type.String(), Type.Integer()),
  /** Whether people log in, and what everybody must know when they do not. */
  login: Type.Optional(
    Type.Object({
      mode: oneOf(['open', 'setup', 'login'] as const),
      notice: nullable(Type.String()),
    }),
  ),
})
export type Health = Static<typeof HealthSchema>
/** What a stranger is told of the hub's health. */
/** For who may not look: an agent or a load balancer. Which contract a hub speaks, a peer has to find out before anything. */
export const HealthInBrief = Type.Pick(HealthSchema, ['status', 'contractVersion'])

export const scenarios = ['healthy', 'degrading', 'critical', 'cascade'] as const
export const ScenarioRequest = Type.Object({ scenario: oneOf(scenarios) })
export type Scenario = (typeof scenarios)[number]

/**
 * Server-sent events of `/stream`: `snapshot` (FleetSnapshot) first, then `servers` (changed rows), `removed`
 * (names) and `fleet` (Fleet). Every event has an id; `Last-Event-ID` resumes, or a new snapshot is sent.
 */
export const FleetSnapshot = Type.Object({
  fleet: FleetSchema,
  servers: Type.Array(ServerSummarySchema),
})
export type FleetSnapshot = Static<typeof FleetSnapshot>
export const streamEvents = ['snapshot', 'servers', 'removed', 'fleet'] as const
