import { type Static, type TSchema, Type } from 'typebox'
import { metricNames } from './metrics.ts'

/** GET /accuracy: what forecasts promised against what came, and whether anything has drifted. */

const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const Instant = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' })
const figure = (description: string) => nullable(Type.Number({ description }))

export const FiguresSchema = Type.Object({
  n: Type.Integer({ description: 'scored points: one metric of one server at one step' }),
  unknown: Type.Integer({ description: 'points whose truth was never measured; not scored' }),
  wql: figure('weighted quantile loss over .1 .5 .9, the mean over metrics; lower is better'),
  bestBaseline: nullable(Type.String()),
  bestBaselineWql: figure('of the best logged baseline, on the same points'),
  skill: figure('1 − wql ÷ bestBaselineWql: above 0 is better than the best baseline'),
  coverage80: figure('share of points within the band from p10 to p90; 0.8 was promised'),
  meanAbsoluteError: figure('of the median forecast, in the unit of the metric'),
  medianAbsoluteError: figure('the same, middle of all errors, to within 5 %'),
  meanBandWidth: figure('of the band from p10 to p90, in the unit of the metric'),
})
export type Figures = Static<typeof FiguresSchema>

const ByName = Type.Record(Type.String(), FiguresSchema)

export const ScorecardSchema = Type.Object({
  all: FiguresSchema,
  byMetric: ByName,
  byLead: Type.Record(Type.String(), FiguresSchema, {
    description: 'by minutes from the end of the window to the beginning of the step',
  }),
  byMetricAndLead: Type.Record(Type.String(), ByName),
  byProfile: ByName,
  bySource: ByName,
  challengers: ByName,
  reliability: Type.Array(
    Type.Object({
      promised: Type.Number({ description: 'share of points meant to lie below the quantile' }),
      came: figure('share that did; a point on it counts half'),
      n: Type.Integer(),
    }),
  ),
  peaks: Type.Record(
    Type.String(),
    Type.Object({
      n: Type.Integer(),
      unknown: Type.Integer(),
      wql: figure('of the highest reading within so many minutes'),
      coverage80: figure('share of highest readings within their band'),
      breach: Type.Object({
        cases: Type.Integer({ description: 'forecasts of a metric that has a limit' }),
        expected: figure('mean chance of reaching the limit'),
        reached: figure('share that reached it'),
        brier: figure('mean squared difference between chance and outcome; 0 is perfect'),
      }),
    }),
  ),
})
export type Scorecard = Static<typeof ScorecardSchema>

export const driftSignals = ['input shift', 'missing readings', 'skill', 'coverage'] as const
export const DriftSchema = Type.Object({
  signal: Type.Enum(driftSignals),
  metric: Type.Enum(metricNames),
  profile: nullable(Type.String({ description: 'null: all profiles' })),
  since: Instant,
  until: nullable(Instant),
  detail: Type.String({ description: 'what was seen, in words' }),
  fallsBack: Type.Boolean({ description: 'the baseline serves instead of the model meanwhile' }),
})
export type Drift = Static<typeof DriftSchema>

export const DriftStateSchema = Type.Object({
  tests: Type.Array(
    Type.Object({
      signal: Type.Enum(driftSignals),
      watched: Type.Integer({ description: 'tests that have enough to compare with' }),
      learning: Type.Integer({ description: 'tests that do not yet' }),
      reason: nullable(Type.String({ description: 'what is missing to those' })),
    }),
  ),
  falseAlarms: Type.String({ description: 'how often a test is wrong, and how that is known' }),
  now: Type.Array(DriftSchema),
  recent: Type.Array(DriftSchema, { description: 'what is over, the last 7 days' }),
})
export type DriftState = Static<typeof DriftStateSchema>

export const AccuracySchema = Type.Object({
  at: nullable(Type.String({ format: 'date-time', description: 'the last round of scoring' })),
  since: nullable(
    Type.String({ format: 'date-time', description: 'the oldest forecast in the log' }),
  ),
  windows: Type.Array(
    Type.Object({
      days: Type.Integer(),
      from: Instant,
      to: Instant,
      ...ScorecardSchema.properties,
    }),
  ),
  drift: nullable(DriftStateSchema),
})
export type Accuracy = Static<typeof AccuracySchema>
