import { type Static, type TSchema, Type } from 'typebox'
import { ForecastSchema, ProfileSchema, SeverityOrUnknown } from './api.ts'
import { type MetricName, metricNames } from './metrics.ts'

/** GET /servers/{name}/explanation and POST /servers/{name}/what-if. */

const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const Instant = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' })
const MetricKey = Type.Enum(metricNames)
const Withheld = nullable(Type.String({ description: 'why this part is not shown; null: it is' }))

/** What was removed from the input, how far the forecast moved, and how far random other removals moved it. */
export const OcclusionCheckSchema = Type.Object({
  removed: Type.String(),
  effect: Type.Number({
    description:
      'mean distance, over the steps, of the median forecast without it from the one with it',
  }),
  randomEffects: Type.Array(Type.Number({ description: 'the same for one drawn at random' })),
  needed: Type.Number({ description: 'the effect has to be above this' }),
  passed: Type.Boolean(),
  seed: Type.Integer({ description: 'of the draws: from the server and the end of the window' }),
})
export type OcclusionCheck = Static<typeof OcclusionCheckSchema>

export const driverKinds = ['metric', 'own_course', 'usual', 'profile'] as const

export const DriverSchema = Type.Object({
  kind: Type.Enum(driverKinds, {
    description:
      'metric: as if it had never been measured; own_course: the last 24 h of the forecast metric replaced by its usual; usual: the days before unknown; profile: unknown',
  }),
  metric: MetricKey,
  text: Type.String(),
  effect: Type.Number({ description: 'see the check; in the unit of the forecast metric' }),
  peakWith: Type.Number({ description: 'expected peak of 8 h, as forecast' }),
  peakWithout: Type.Number({ description: 'the same with this removed from the input' }),
})
export type Driver = Static<typeof DriverSchema>

export const EpisodeSchema = Type.Object({
  server: Type.String(),
  profile: ProfileSchema,
  sameProfile: Type.Boolean(),
  endedAt: Instant,
  distance: Type.Number({
    description:
      'root mean square difference of 6 hourly means per metric, in usual spreads of the asking server',
  }),
  closeness: Type.Enum(['very similar', 'similar', 'somewhat similar']),
  followed: Type.Object({
    hours: Type.Number({ description: 'of the 8 h after it that were measured' }),
    breached: Type.Array(
      Type.Object({ metric: MetricKey, limit: Type.Number(), afterMinutes: Type.Integer() }),
    ),
    peaks: Type.Partial(
      Type.Record(MetricKey, Type.Number({ description: 'worst 15-minute mean of the 8 h' })),
    ),
  }),
  text: Type.String(),
})
export type Episode = Static<typeof EpisodeSchema>

export const SimilarSchema = Type.Object({
  episodes: Type.Array(EpisodeSchema),
  text: Type.String(),
  searched: Type.Object({
    servers: Type.Integer(),
    ofServers: Type.Integer({
      description:
        'those of the profile, or all when they have too few; the missing are not read yet or find no room',
    }),
    compared: Type.Integer(),
    days: Type.Number({ description: 'how far back the search reaches at most' }),
  }),
})
export type Similar = Static<typeof SimilarSchema>

export const ExplanationQuery = Type.Object({
  metric: Type.Optional(
    Type.Enum(metricNames, { description: 'the forecast to explain; default: the most pressing' }),
  ),
})

export const ExplanationSchema = Type.Object({
  server: Type.String(),
  at: Instant,
  windowEnd: Instant,
  abstained: nullable(Type.String()),
  text: Type.String({ description: 'what is expected, when, how sure, from what' }),
  target: nullable(
    Type.Object({
      metric: MetricKey,
      label: Type.String(),
      unit: Type.String(),
      why: Type.String(),
      source: Type.String(),
      sourceReason: Type.String(),
      peak: Type.Number({ description: 'expected within 8 h, as the screen shows the metric' }),
      peakPessimistic: Type.Number({ description: 'exceeded once in ten' }),
    }),
  ),
  drivers: Type.Object({
    withheld: Withheld,
    items: Type.Array(DriverSchema),
    check: nullable(OcclusionCheckSchema),
  }),
  selection: Type.Object({
    withheld: Withheld,
    weights: Type.Array(
      Type.Object({
        input: Type.String({ description: 'a metric, or calendar' }),
        past: Type.Number(),
        future: Type.Number(),
      }),
    ),
    check: nullable(OcclusionCheckSchema),
  }),
  attention: Type.Object({
    withheld: Withheld,
    spans: Type.Array(
      Type.Object({
        from: Instant,
        to: Instant,
        share: Type.Number({ description: 'of the attention over the last 24 h' }),
        effect: nullable(Type.Number()),
      }),
    ),
    check: nullable(OcclusionCheckSchema),
  }),
  similar: SimilarSchema,
  tookMs: Type.Number(),
})
export type Explanation = Static<typeof ExplanationSchema>

/** The three ways to change a metric; exactly one is given. */
export const changeKinds = ['multiply', 'add', 'set'] as const
export type ChangeKind = (typeof changeKinds)[number]

export const WhatIfChangeSchema = Type.Object(
  {
    metric: MetricKey,
    multiply: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
    add: Type.Optional(Type.Number({ minimum: -1_000_000, maximum: 1_000_000 })),
    set: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000_000 })),
  },
  { additionalProperties: false },
)
export type WhatIfChange = Static<typeof WhatIfChangeSchema>

export const WhatIfRequestSchema = Type.Object(
  {
    changes: Type.Optional(Type.Array(WhatIfChangeSchema, { maxItems: 12 })),
    minutes: Type.Optional(
      Type.Integer({
        minimum: 15,
        maximum: 1440,
        default: 60,
        description: 'how much of the newest history is changed',
      }),
    ),
    profile: Type.Optional(ProfileSchema),
    cores: Type.Optional(Type.Integer({ minimum: 1, maximum: 4096 })),
    memoryGib: Type.Optional(Type.Number({ minimum: 0.1, maximum: 65_536 })),
  },
  { additionalProperties: false },
)
export type WhatIfRequest = Static<typeof WhatIfRequestSchema>

const RiskSide = Type.Object({
  risk: nullable(Type.Number()),
  now: nullable(Type.Number()),
  predicted: nullable(Type.Number()),
  severity: SeverityOrUnknown,
})
const Columns = Type.Record(Type.String({ pattern: '^0\\.\\d+$' }), Type.Array(Type.Number()))
const Values = Type.Record(Type.String({ pattern: '^0\\.\\d+$' }), Type.Number())

export const WhatIfSchema = Type.Object({
  server: Type.String(),
  at: Instant,
  minutes: Type.Integer(),
  consequences: Type.Array(Type.String({ description: 'what changed along with it' })),
  text: Type.String(),
  before: ForecastSchema,
  after: ForecastSchema,
  difference: Type.Object(
    {
      quantiles: Type.Partial(Type.Record(MetricKey, Columns)),
      peaks: Type.Record(
        Type.String({ pattern: '^\\d+$' }),
        Type.Partial(Type.Record(MetricKey, Values)),
      ),
    },
    { description: 'after − before, number by number' },
  ),
  risk: Type.Object({
    before: RiskSide,
    after: RiskSide,
    difference: nullable(Type.Number({ description: 'after − before' })),
  }),
  tookMs: Type.Number(),
})
export type WhatIf = Static<typeof WhatIfSchema>

/** What a person asks about; the screen never shows idle. */
export const changeable: readonly MetricName[] = metricNames.filter(
  (name) => name !== 'uptime_days',
)
