import { availableParallelism } from 'node:os'
import { simulatedHistory } from '../history/simulated-history.ts'
import { graphsFolder } from '../model/shipped.ts'
import { openTraining, type TrainingState } from '../onnx/training.ts'
import { initialWeights } from '../train/initial-weights.ts'
import { profileScale } from '../train/profile-scale.ts'
import { trainingBatch } from '../train/training-batch.ts'
import { drawBatch, type Source } from '../train/training-set.ts'

/** One bar of the benches, as `npm run bench` prints it. */
export type BenchFigure = {
  readonly name: string
  readonly figure: number
  readonly unit: string
  readonly bar: string | number
  readonly ok: boolean
  readonly conditions: { readonly [key: string]: string | number }
}

const seed = 1
/** The bar is PyTorch's speed on the same cores, which only a machine that has PyTorch can measure. */
const noBar = 'none without PyTorch beside it'

/** Windows per second through the training graph, with the windows cut beside it as a real run does. */
export async function benchTrain({
  steps = 30,
  threads = 2,
  clock,
  at,
}: {
  readonly steps?: number
  readonly threads?: number
  /** ms that only grow. */
  readonly clock: () => number
  /** The instant that the figure carries. */
  readonly at: string
}): Promise<readonly BenchFigure[]> {
  const startAt = Date.UTC(2025, 2, 3)
  const history = simulatedHistory({ seed, servers: 30, startAt, days: 10 })
  const sources: Source[] = [{ history, weight: 1, from: history.from, to: history.to }]
  const training = await openTraining(graphsFolder, { threads })
  const { contract } = training
  const size = contract.train.batch
  let state: TrainingState = {
    theta: initialWeights(contract, { seed, profileScale: profileScale(sources, seed) }),
    m: new Float32Array(contract.trainableSize),
    v: new Float32Array(contract.trainableSize),
  }
  const batches = [trainingBatch(size), trainingBatch(size)] as const
  const draw = (place: number) => drawBatch(batches[place % 2]!, sources, { seed, place })
  let next = draw(1)
  let began = clock()
  let waited = 0
  const warmUp = 3
  for (let step = 1; step <= steps + warmUp; step++) {
    if (step === warmUp + 1) {
      began = clock()
      waited = 0
    }
    const running = training.step(state, next, { step, lr: 1e-3 })
    next = draw(step + 1)
    const drawn = clock()
    state = await running
    waited += clock() - drawn
  }
  const ms = clock() - began
  await training.close()
  const conditions = {
    ...{ cores: availableParallelism(), threads, device: 'cpu', node: process.version },
    ...{ batch: size, steps, seed, at },
  }
  return [
    {
      name: 'training throughput',
      figure: Number(((steps * size * 1000) / ms).toFixed(1)),
      unit: 'windows/s',
      ...{ bar: noBar, ok: true, conditions },
    },
    {
      name: 'training step',
      figure: Number((ms / steps).toFixed(1)),
      unit: 'ms',
      ...{ bar: noBar, ok: true, conditions },
    },
    {
      name: 'training waits for windows',
      figure: Number((1 - waited / ms).toFixed(3)),
      unit: 'share of time in which windows are cut',
      ...{ bar: noBar, ok: true, conditions },
    },
  ]
}
