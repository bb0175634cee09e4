import { type Static, Type } from 'typebox'

/** What a model folder holds; the hub refuses one whose hashes, contract or shapes do not match. */
export const modelFiles = ['infer.onnx', 'weights.bin', 'report.json'] as const

const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })

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
  /**
   * Per metric: whether the model serves it, by the backtest. A metric whose baseline was better is served by the
   * baseline, named as such.
   */
  serves: Type.Record(Type.String(), Type.Object({ model: Type.Boolean(), reason: Type.String() })),
  files: Type.Record(Type.String(), Sha256),
})
export type Manifest = Static<typeof ManifestSchema>
