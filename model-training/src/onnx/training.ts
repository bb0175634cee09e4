import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { peakMinutes } from '@harbinger/shared/forecast/quantiles'
import { horizonSteps, V, type WindowBatch } from '@harbinger/shared/window/window-batch'
import type { TruthBatch } from '../windows/truth.ts'
import type { Device } from './device.ts'
import { openSession } from './session.ts'
import { floatsOf, floatTensor, windowFeeds } from './tensors.ts'

/** One weight tensor's place in the flat vector and how it begins. */
export type Parameter = {
  readonly name: string
  readonly shape: readonly number[]
  readonly offset: number
  readonly init: { readonly kind: 'uniform' | 'zeros' | 'ones'; readonly bound: number }
}

/** What graphs/contract.json says of the two graphs. */
export type GraphContract = {
  readonly definition: { readonly sha256: string }
  readonly thetaSize: number
  readonly trainableSize: number
  readonly train: { readonly batch: number }
  readonly parameters: readonly Parameter[]
}

export const readGraphContract = (graphs: string): GraphContract =>
  JSON.parse(readFileSync(join(graphs, 'contract.json'), 'utf8')) as GraphContract

/** All that one training step changes: the weights and the optimiser's memory. */
export type TrainingState = {
  readonly theta: Float32Array
  readonly m: Float32Array
  readonly v: Float32Array
}

export type Training = {
  readonly contract: GraphContract
  /** One step of AdamW; `step` counts from 1. The state given is not changed. */
  readonly step: (
    state: TrainingState,
    batch: WindowBatch & TruthBatch,
    at: { readonly step: number; readonly lr: number },
  ) => Promise<TrainingState & { readonly loss: number; readonly gradNorm: number }>
  readonly close: () => Promise<void>
}

/** Opens the training graph: forward, loss, backward and optimiser in one. */
export async function openTraining(
  graphs: string,
  { threads = 2, device = 'cpu' }: { readonly threads?: number; readonly device?: Device } = {},
): Promise<Training> {
  const contract = readGraphContract(graphs)
  const session = await openSession(join(graphs, 'train.onnx'), { threads, device })
  const { thetaSize, trainableSize } = contract
  const batchSize = contract.train.batch

  return {
    contract,
    step: async ({ theta, m, v }, batch, { step, lr }) => {
      const out = await session.run({
        ...windowFeeds(batch),
        theta: floatTensor(theta, [thetaSize]),
        m: floatTensor(m, [trainableSize]),
        v: floatTensor(v, [trainableSize]),
        lr: floatTensor(Float32Array.of(lr), []),
        step: floatTensor(Float32Array.of(step), []),
        truth: floatTensor(batch.truth, [batchSize, horizonSteps, V]),
        truthKnown: floatTensor(batch.truthKnown, [batchSize, horizonSteps, V]),
        peakTruth: floatTensor(batch.peakTruth, [batchSize, peakMinutes.length, V]),
        peakKnown: floatTensor(batch.peakKnown, [batchSize, peakMinutes.length, V]),
      })
      return {
        theta: floatsOf(out, 'thetaNext'),
        m: floatsOf(out, 'mNext'),
        v: floatsOf(out, 'vNext'),
        loss: floatsOf(out, 'loss')[0]!,
        gradNorm: floatsOf(out, 'gradNorm')[0]!,
      }
    },
    close: () => session.release(),
  }
}
