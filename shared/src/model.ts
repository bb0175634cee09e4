import { type Static, Type } from 'typebox'
import { type BaselineName, baselineNames } from './forecast/baseline-names.ts'
import { networkMetricNames } from './metrics.ts'
import { type Profile, profiles } from './profiles.ts'

/** What a model folder holds; the hub refuses one whose hashes, contract or shapes do not match. */
export const modelFiles = ['infer.onnx', 'weights.bin', 'calibration.json', 'report.json'] as const

const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })

const oneOf = (names: readonly string[]) => Type.String({ pattern: `^(${names.join('|')})$` })

/** Who may serve a metric: the model, or the baseline that beat it. */
export const contenderNames = ['model', ...baselineNames] as const
export type ContenderName = 'model' | BaselineName

const choice = {
  contender: Type.Enum(contenderNames),
  /** The figures that decided, for a person to read. */
  reason: Type.String({ minLength: 1 }),
}
const ChoiceSchema = Type.Object(choice, { additionalProperties: false })
export type Choice = Static<typeof ChoiceSchema>

/**
 * The best contender of one metric by a backtest on days that are not reported on, and of the profiles that had
 * enough windows to be told apart.
 */
const ServedMetric = Type.Object(
  {
    ...choice,
    profiles: Type.Optional(
      Type.Record(oneOf(profiles), ChoiceSchema, { additionalProperties: false }),
    ),
  },
  { additionalProperties: false },
)

export const ManifestSchema = Type.Object({
  id: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
  contractVersion: Type.String(),
  kind: Type.Literal('tft'),
  /** Hash of the definition that made the graph; equal in graphs/contract.json. */
  definition: Sha256,
  trainedAt: Type.String({ format: 'date-time' }),
  trainedOn: Type.Array(
    Type.Object({
      name: Type.String(),
      servers: Type.Integer(),
      from: Type.String({ format: 'date-time' }),
      to: Type.String({ format: 'date-time' }),
      simulated: Type.Boolean(),
    }),
  ),
  training: Type.Object({
    seed: Type.Integer(),
    steps: Type.Integer(),
    minutes: Type.Number(),
    parent: Type.Union([Type.String(), Type.Null()]),
  }),
  /** Metrics that were in the training data; for the others the baseline serves. */
  metrics: Type.Array(Type.String()),
  scores: Type.Record(Type.String(), Type.Number()),
  serves: Type.Record(oneOf(networkMetricNames), ServedMetric, { additionalProperties: false }),
  files: Type.Record(Type.String(), Sha256),
})
export type Manifest = Static<typeof ManifestSchema>

/** Who serves `metric` on a server of `profile`, with the stored reason; undefined when the model does not know it. */
export function choiceOf(
  serves: Manifest['serves'],
  metric: string,
  profile: Profile | undefined,
): Choice | undefined {
  const served = serves[metric]
  return (profile && served?.profiles?.[profile]) ?? served
}
