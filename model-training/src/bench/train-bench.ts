import { availableParallelism, loadavg } from 'node:os'
import { simulatedHistory } from '../history/simulated-history.ts'
import { graphsFolder } from '../model/shipped.ts'
import { openTraining, type TrainingState } from '../onnx/training.ts'
import { openBatchesAhead } from '../train/batches-ahead.ts'
import { initialWeights } from '../train/initial-weights.ts'
import { profileScale } from '../train/profile-scale.ts'
import { trainingBatch } from '../train/training-batch.ts'
import { drawBatch, type Source } from '../train/training-set.ts'
import { pythonWithTorch } from './eager-peer.ts'
import { benchAgainstEager, type PeerComparison } from './peer-bench.ts'

/** One bar of the benches, as `npm run bench` prints it. */
export type BenchFigure = {
  readonly name: string
  readonly figure: number
  readonly unit: string
  readonly bar: string | number
  readonly ok: boolean
  readonly peer?: { readonly name: string; readonly figure: number; readonly ratio: number }
  readonly beside?: { readonly [key: string]: unknown }
  readonly conditions: { readonly [key: string]: string | number }
}

type Options = {
  readonly steps?: number
  readonly threads?: number
  /** A Python that can import torch; default: HARBINGER_PYTHON, .venv, python3. */
  readonly python?: string | undefined
  readonly graphs?: string
  /** ms that only grow. */
  readonly clock: () => number
  /** The instant that the figure carries. */
  readonly at: string
}

const seed = 1
const warmUp = 3
const stepsPerRound = 5

/**
 * Windows per second through the training graph: the graph alone beside PyTorch's eager step of the same network, turn
 * by turn in one run; then as a real run does, with the windows cut meanwhile.
 */
export async function benchTrain(options: Options): Promise<readonly BenchFigure[]> {
  const { steps = 30, threads = 2, clock, at, graphs = graphsFolder } = options
  const startAt = Date.UTC(2025, 2, 3)
  const history = simulatedHistory({ seed, servers: 30, startAt, days: 10 })
  const sources: Source[] = [{ history, weight: 1, from: history.from, to: history.to }]
  const training = await openTraining(graphs, { threads })
  const { contract } = training
  const size = contract.train.batch
  const theta = initialWeights(contract, { seed, profileScale: profileScale(sources, seed) })
  const batches = [1, 2].map((place) => drawBatch(trainingBatch(size), sources, { seed, place }))
  const conditions = {
    ...{ cores: availableParallelism(), threads, device: 'cpu', node: process.version },
    // Above the number of cores something else runs: then neither side shows what it can.
    ...{ batch: size, steps, seed, at, loadBefore: Number(loadavg()[0]!.toFixed(1)) },
  }

  const found = pythonWithTorch(options.python)
  const rounds = Math.max(1, Math.round(steps / stepsPerRound))
  const compared =
    'python' in found
      ? await benchAgainstEager({
          ...{ python: found.python, graphs, theta, batches, threads, rounds, stepsPerRound },
        })
      : { missing: found.missing, ours: await graphAlone() }

  const whole = await asARunDoes()
  await training.close()

  async function graphAlone(): Promise<number> {
    const zero = new Float32Array(contract.trainableSize)
    const state: TrainingState = { theta, m: zero, v: zero }
    const ms: number[] = []
    for (let step = 1; step <= steps + warmUp; step++) {
      const began = clock()
      await training.step(state, batches[step % 2]!, { step, lr: 1e-3 })
      if (step > warmUp) ms.push(clock() - began)
    }
    return ms.sort((a, b) => a - b)[ms.length >> 1]!
  }

  async function asARunDoes() {
    let state: TrainingState = {
      theta,
      m: new Float32Array(contract.trainableSize),
      v: new Float32Array(contract.trainableSize),
    }
    const ahead = openBatchesAhead(sources, { seed, size })
    let began = 0
    let waited = 0
    for (let step = 1; step <= steps + warmUp; step++) {
      if (step === warmUp + 1) {
        began = clock()
        waited = 0
      }
      const asked = clock()
      const batch = await ahead.at(step)
      waited += clock() - asked
      state = await training.step(state, batch, { step, lr: 1e-3 })
    }
    const ms = clock() - began
    await ahead.close()
    return { perStep: ms / steps, waited: waited / ms }
  }

  return [
    againstPeer(compared, { size, conditions }),
    {
      name: 'training throughput with windows cut meanwhile',
      figure: Number(((1000 * size) / whole.perStep).toFixed(1)),
      ...{ unit: 'windows/s', bar: 'none of its own', ok: true, conditions },
    },
    {
      name: 'training waits for windows',
      figure: Number(whole.waited.toFixed(3)),
      ...{ unit: 'share of time', bar: 'none of its own', ok: true, conditions },
    },
  ]
}

function againstPeer(
  compared: PeerComparison | { readonly missing: string; readonly ours: number },
  { size, conditions }: { readonly size: number; readonly conditions: BenchFigure['conditions'] },
): BenchFigure {
  const name = 'training throughput'
  const perSecond = (ms: number): number => Number(((1000 * size) / ms).toFixed(1))
  if ('missing' in compared) {
    const bar = `none: ${compared.missing}`
    const figure = perSecond(compared.ours)
    return { ...{ name, figure, unit: 'windows/s', bar, ok: true, conditions } }
  }
  const { torch, waits, ours, theirs, lossDifference } = compared
  const ratio = Number((theirs / ours).toFixed(3))
  return {
    ...{ name, figure: perSecond(ours), unit: 'windows/s', bar: '≥ 1.0 × PyTorch eager' },
    ok: ratio >= 1,
    peer: {
      name: `PyTorch ${torch} eager, fused LSTM, threads ${waits}`,
      figure: perSecond(theirs),
      ratio,
    },
    conditions: { ...conditions, lossDifference: lossDifference.toExponential(1) },
  }
}
