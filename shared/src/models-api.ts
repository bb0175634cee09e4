import { type Static, type TSchema, Type } from 'typebox'

/** Models and trainings over the REST API. Times are ISO 8601 UTC strings; what is not known is null. */

const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const Instant = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' })
const ModelId = Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' })

export const ConditionSchema = Type.Object({
  name: Type.String(),
  state: Type.Enum(['holds', 'fails', 'unknown']),
  found: Type.String({ description: 'with its figure' }),
  needs: Type.String(),
})
export type PromotionCondition = Static<typeof ConditionSchema>

export const DecisionSchema = Type.Object({
  at: Instant,
  model: Type.String(),
  kind: Type.String(),
  by: Type.String(),
  reason: Type.String(),
})
export type ModelDecision = Static<typeof DecisionSchema>

export const ModelSummarySchema = Type.Object({
  id: nullable(Type.String()),
  state: Type.Enum(['serving', 'challenger', 'kept', 'refused']),
  /** Why it is refused; null when it is not. */
  refused: nullable(Type.String()),
  kind: nullable(Type.String()),
  trainedAt: nullable(Instant),
  parent: nullable(Type.String()),
  trainedOn: Type.Array(
    Type.Object({
      name: Type.String(),
      servers: Type.Integer(),
      from: Instant,
      to: Instant,
      simulated: Type.Boolean(),
    }),
  ),
  scores: Type.Record(Type.String(), Type.Number()),
  /** Metrics that the model serves, of those it was judged on. */
  serves: Type.Object({ model: Type.Integer(), baseline: Type.Integer() }),
  /** Came with Harbinger. */
  isBase: Type.Boolean(),
})
export type ModelSummary = Static<typeof ModelSummarySchema>

export const ModelsSchema = Type.Object({
  models: Type.Array(ModelSummarySchema),
  serving: Type.Object({
    id: nullable(Type.String()),
    since: nullable(Instant),
    by: Type.String(),
    reason: Type.String(),
    problem: nullable(Type.String()),
    /** The configuration names the model: then nothing is promoted. */
    pinned: Type.Boolean(),
    /** What a rollback would go back to. */
    previous: nullable(Type.String()),
  }),
  challenger: nullable(
    Type.Object({
      id: Type.String(),
      conditions: Type.Array(ConditionSchema),
      shadow: Type.Object({
        state: Type.Enum(['holds', 'fails', 'unknown']),
        found: Type.String(),
      }),
      promotesItself: Type.Boolean(),
    }),
  ),
  decisions: Type.Array(DecisionSchema),
  nextCursor: Type.Null(),
})
export type Models = Static<typeof ModelsSchema>

/** The report card of one model: its manifest and report as they are in its folder, and what was decided on it. */
export const ModelCardSchema = Type.Object({
  ...ModelSummarySchema.properties,
  manifest: nullable(Type.Unknown()),
  report: nullable(Type.Unknown()),
  conditions: Type.Array(ConditionSchema),
  decisions: Type.Array(DecisionSchema),
})
export type ModelCard = Static<typeof ModelCardSchema>

export const PromoteRequest = Type.Object(
  {
    force: Type.Optional(
      Type.String({
        ...{ minLength: 3, maxLength: 500 },
        description: 'why it is to serve although conditions do not hold',
      }),
    ),
  },
  { additionalProperties: false },
)
export const RollbackRequest = Type.Object(
  { reason: Type.Optional(Type.String({ maxLength: 500 })) },
  { additionalProperties: false },
)
export const ModelChangedSchema = Type.Object({ id: Type.String(), reason: Type.String() })

export const TrainingRequestSchema = Type.Object(
  {
    from: Type.Optional(
      Type.Union([Type.Literal('serving'), Type.Literal('fresh'), ModelId], {
        description: 'what to go on from: the model that serves (default), nothing, or a model',
      }),
    ),
    minutes: Type.Optional(Type.Number({ minimum: 0.01, maximum: 1440 })),
    steps: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 999_999_999 })),
    detail: Type.Optional(Type.String({ maxLength: 300, description: 'why, in words' })),
  },
  { additionalProperties: false },
)

export const TrainingSchema = Type.Object({
  id: Type.Integer(),
  state: Type.Enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
  reason: Type.Enum(['operator', 'schedule', 'drift']),
  detail: Type.String(),
  requestedAt: Instant,
  startedAt: nullable(Instant),
  endedAt: nullable(Instant),
  waitsFor: nullable(Type.String()),
  model: nullable(Type.String({ description: 'the id of the model that it makes' })),
  from: Type.String({ description: 'what it goes on from' }),
  stage: nullable(Type.Enum(['reading', 'training', 'judging', 'comparing'])),
  share: nullable(Type.Number({ minimum: 0, maximum: 1, description: 'of the stage' })),
  etaSeconds: nullable(Type.Number({ description: 'until the stage is over' })),
  step: nullable(Type.Integer()),
  steps: nullable(Type.Integer()),
  losses: Type.Array(
    Type.Object({ step: Type.Integer(), loss: Type.Number(), wql: Type.Number() }),
  ),
  warnings: Type.Array(Type.String()),
  problem: nullable(Type.String()),
  peakMemoryMb: nullable(Type.Integer()),
  resumed: Type.Integer({ description: 'how often it went on after the hub was stopped' }),
})
export type Training = Static<typeof TrainingSchema>

export const TrainingsSchema = Type.Object({
  trainings: Type.Array(TrainingSchema),
  limits: Type.Object({
    everyDays: Type.Number(),
    hoursBetween: Type.Number(),
    perWeek: Type.Number(),
    quietHours: nullable(Type.String()),
    minutes: Type.Number(),
  }),
  nextCursor: Type.Null(),
})
export type Trainings = Static<typeof TrainingsSchema>
