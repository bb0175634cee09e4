import { fileURLToPath } from 'node:url'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { writeModelFolder } from '../../model-training/src/model/model-folder.ts'
import { readGraphContract } from '../../model-training/src/onnx/training.ts'
import { initialWeights } from '../../model-training/src/train/initial-weights.ts'

/** A model folder for the graphs of this checkout, with the weights a training begins with; returns the folder. */
export function writeUntrainedModel(folder: string): string {
  const graphs = fileURLToPath(new URL('../../model-training/graphs', import.meta.url))
  const contract = readGraphContract(graphs)
  const scale = new Float32Array(contract.thetaSize - contract.trainableSize).fill(1)
  const serves = { contender: 'model' as const, reason: 'it is the one that is tested' }
  writeModelFolder(folder, {
    graphs,
    theta: initialWeights(contract, { seed: 1, profileScale: scale }),
    report: {} as never,
    manifest: {
      ...{ id: 'untrained', contractVersion: '1.0.0', kind: 'tft', scores: {}, trainedOn: [] },
      definition: contract.definition.sha256,
      trainedAt: '2026-03-01T00:00:00.000Z',
      training: { seed: 1, steps: 0, minutes: 0, parent: null },
      metrics: [...networkMetricNames],
      serves: Object.fromEntries(networkMetricNames.map((name) => [name, serves])),
    },
  })
  return folder
}
