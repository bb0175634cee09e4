import { type Static, type TSchema, Type } from 'typebox'
import { ProfileSchema } from './api.ts'
import { IntervalSchema } from './sample.ts'
import { serverNamePattern } from './server.ts'

/** Rules that say at what interval servers sample, over the REST API. Times are ISO 8601 UTC strings. */

const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const Instant = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' })
const none = { additionalProperties: false }

/** The narrowest first: a rule for the server itself beats one for a tag, and that one for the profile. */
export const ruleKinds = ['server', 'tag', 'profile'] as const
export type RuleKind = (typeof ruleKinds)[number]

/** As many as there may be: a fleet has fewer tags, profiles and odd servers. */
export const maxIntervalRules = 1_000

const Kind = Type.Enum([...ruleKinds])
const Target = Type.String({ minLength: 1, maxLength: 253, description: 'server, tag or profile' })

/** Whom a rule is for, in the query of a request. */
export const RuleTargetSchema = Type.Object({ kind: Kind, target: Target }, none)
export type RuleTarget = Static<typeof RuleTargetSchema>

export const RuleEstimateQuery = Type.Object(
  {
    ...RuleTargetSchema.properties,
    seconds: Type.Optional(
      Type.Integer({ ...IntervalSchema, description: 'absent: as if the rule were removed' }),
    ),
  },
  none,
)
export type RuleChange = Static<typeof RuleEstimateQuery>

const named = <const K extends RuleKind, S extends TSchema>(kind: K, target: S) =>
  Type.Object({ kind: Type.Literal(kind), target, seconds: IntervalSchema }, none)

export const IntervalRuleRequest = Type.Union([
  named('server', Type.String({ pattern: serverNamePattern })),
  named('tag', Type.String({ minLength: 1, maxLength: 64 })),
  named('profile', ProfileSchema),
])
export type IntervalRuleRequest = Static<typeof IntervalRuleRequest>

export const IntervalRuleSchema = Type.Object({
  kind: Kind,
  target: Type.String(),
  seconds: IntervalSchema,
  setAt: Instant,
  setBy: Type.String(),
  /** Servers of that name, tag or profile. */
  servers: Type.Integer(),
  /** Of these, the ones that no narrower rule, or shorter one of another tag, decides. */
  decides: Type.Integer(),
  /** Of those it decides, the ones whose agents have not said yet that they follow. */
  pending: Type.Integer(),
})
export type IntervalRule = Static<typeof IntervalRuleSchema>

/** What a change of a rule does to what servers send. */
export const IntervalEstimateSchema = Type.Object({
  /** Servers of that name, tag or profile. */
  servers: Type.Integer(),
  /** Of these, the ones whose interval another rule decides, before and after. */
  decidedByOthers: Type.Integer(),
  /** The rest: these sample otherwise afterwards, or as now. */
  touched: Type.Integer(),
  /** Of the touched ones, the ones that the figures are of. */
  measured: Type.Integer(),
  /** How long the hub has measured, an hour at most. */
  minutes: Type.Number(),
  /** On the wire, of the measured ones together; null when none is. */
  bytesPerDay: nullable(
    Type.Object({
      now: Type.Number({ description: 'at the intervals in force' }),
      then: Type.Number({ description: 'at the intervals after the change' }),
    }),
  ),
  included: Type.String({ description: 'what is counted and what is not' }),
})
export type IntervalEstimate = Static<typeof IntervalEstimateSchema>

export const IntervalsSchema = Type.Object({
  rules: Type.Array(IntervalRuleSchema),
  /** Servers that no rule is for, so that their agents' own configuration decides. */
  withoutRule: Type.Integer(),
  nextCursor: nullable(Type.String()),
})
export type Intervals = Static<typeof IntervalsSchema>
