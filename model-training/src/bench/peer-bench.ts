import { performance } from 'node:perf_hooks'
import { quantileOfSorted } from '@harbinger/shared/forecast/quantiles'
import { openTraining, type TrainingState } from '../onnx/training.ts'
import type { TrainingBatch } from '../train/training-batch.ts'
import { type EagerPeer, openEagerPeer, type Waits } from './eager-peer.ts'

/** The training graph and PyTorch, step for step on the same weights and batches. */
export type PeerComparison = {
  readonly torch: string
  /** How its threads waited where it was fastest; that is the one it is judged by. */
  readonly waits: Waits
  /** Median ms of one step. */
  readonly ours: number
  readonly theirs: number
  /** Largest relative difference of the losses of the first steps. */
  readonly lossDifference: number
}

/** Before anything is timed: both allocate and choose their kernels; and the losses of these steps must agree. */
const warmUp = 3
const lr = 1e-3

/**
 * Times both in one run, turn by turn (A B C A B C …), so that whatever else the machine does falls on both. Throws when their
 * losses part: then they are not the same network, and a ratio of their times would say nothing.
 */
export async function benchAgainstEager({
  python,
  graphs,
  theta,
  batches,
  threads,
  rounds,
  stepsPerRound,
}: {
  readonly python: string
  readonly graphs: string
  readonly theta: Float32Array
  readonly batches: readonly TrainingBatch[]
  readonly threads: number
  readonly rounds: number
  readonly stepsPerRound: number
}): Promise<PeerComparison> {
  const peers: EagerPeer[] = []
  for (const waits of ['spinning', 'asleep'] as const) {
    peers.push(await openEagerPeer({ python, graphs, theta, batches, threads, waits }))
  }
  const training = await openTraining(graphs, { threads })
  const { trainableSize } = training.contract
  let state: TrainingState = {
    theta,
    m: new Float32Array(trainableSize),
    v: new Float32Array(trainableSize),
  }
  async function ourSteps(first: number, count: number) {
    const ms: number[] = []
    const loss: number[] = []
    for (let step = first; step < first + count; step++) {
      const began = performance.now()
      const after = await training.step(state, batches[(step - 1) % batches.length]!, { step, lr })
      ms.push(performance.now() - began)
      loss.push(after.loss)
      state = after
    }
    return { ms, loss }
  }
  try {
    const ourLosses = (await ourSteps(1, warmUp)).loss
    let lossDifference = 0
    for (const peer of peers) {
      const { loss } = await peer.steps(1, warmUp, lr)
      lossDifference = Math.max(lossDifference, ...ourLosses.map((l, i) => apart(l, loss[i]!)))
      if (lossDifference < 1e-4) continue
      throw new Error(
        `the losses part by ${lossDifference.toExponential(1)} (graph ${ourLosses.join(', ')}; PyTorch ${loss.join(', ')}): the graphs were not made by this definition, run definition/export.py`,
      )
    }
    const ours: number[] = []
    const theirs = peers.map((): number[] => [])
    for (let round = 0; round < rounds; round++) {
      const first = warmUp + 1 + round * stepsPerRound
      ours.push(...(await ourSteps(first, stepsPerRound)).ms)
      for (const [p, peer] of peers.entries()) {
        theirs[p]!.push(...(await peer.steps(first, stepsPerRound, lr)).ms)
      }
    }
    const each = peers.map(({ torch, waits }, p) => ({ torch, waits, theirs: middle(theirs[p]!) }))
    const fastest = each.reduce((a, b) => (b.theirs < a.theirs ? b : a))
    return { ...fastest, ours: middle(ours), lossDifference }
  } finally {
    for (const peer of peers) peer.close()
    await training.close()
  }
}

const apart = (ours: number, theirs: number): number => Math.abs(ours - theirs) / Math.abs(ours)

const middle = (values: readonly number[]): number =>
  quantileOfSorted(Float64Array.from(values).sort(), 0.5)
