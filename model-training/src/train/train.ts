import { openTraining, type TrainingState } from '../onnx/training.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { initialWeights } from './initial-weights.ts'
import { profileScale } from './profile-scale.ts'
import { learningRate } from './schedule.ts'
import { trainingBatch } from './training-batch.ts'
import { checkSources, drawBatch, type Source } from './training-set.ts'
import { openValidation } from './validation.ts'

export type TrainOptions = {
  /** Folder of the two graphs and their contract. */
  readonly graphs: string
  readonly sources: readonly Source[]
  /** Judged by, never learnt from. */
  readonly validation: readonly Source[]
  readonly seed: number
  /** Steps in all; or how long it may take, which is turned into steps after timing the first ones. */
  readonly steps?: number | undefined
  readonly minutes?: number | undefined
  /** Weights to go on from; default: fresh ones. Their profile scales stay. */
  readonly start?: Float32Array | undefined
  /** Highest learning rate; default 0.002, and a third of that when going on from a trained model. */
  readonly peakRate?: number | undefined
  /** Folder for checkpoints; with one, a run that was killed goes on where it was. */
  readonly checkpoints?: string | undefined
  /** Default 2. */
  readonly threads?: number
  /** Steps between judgements; default a twentieth of the run, at least 25. */
  readonly judgeEvery?: number | undefined
  /** Windows of each source that weights are judged by; default 640. */
  readonly judgedWindows?: number | undefined
  /** Judgements without a better one before the run ends early; default 6. */
  readonly patience?: number
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined
  /** Asked after every step; true ends the run with the best weights so far. */
  readonly stopped?: () => boolean
  /** ms that only grow. */
  readonly clock: () => number
}

export type TrainProgress = {
  readonly step: number
  readonly steps: number
  /** Mean loss of the last steps. */
  readonly loss: number
  readonly rate: number
  readonly etaMs: number
  /** The latest judgement, at the step it was made. */
  readonly judged?: { readonly wql: number; readonly bySource: readonly number[] }
}

export type Trained = {
  /** The best averaged weights by the validation. */
  readonly theta: Float32Array
  readonly step: number
  readonly steps: number
  readonly wql: number
  readonly minutes: number
  readonly losses: Checkpoint['losses']
}

/** Weights are averaged over about so many steps (1 / (1 − decay)); the average is what is judged and kept. */
const averageDecay = 0.995
const timedSteps = 6

/** Trains the network: the loop around the training graph. Equal seed, sources and steps give equal weights. */
export async function train(options: TrainOptions): Promise<Trained> {
  const { graphs, sources, seed, clock, threads = 2, patience = 6, checkpoints } = options
  checkSources(sources)
  const training = await openTraining(graphs, { threads })
  const validation = openValidation(options.validation, {
    ...{ graphs, seed: seed + 1, threads, windows: options.judgedWindows ?? 640 },
  })
  const size = training.contract.train.batch
  const zero = (): Float32Array => new Float32Array(training.contract.trainableSize)
  try {
    const found = checkpoints === undefined ? undefined : readCheckpoint(checkpoints)
    // Another seed is another run: what is left of the old one is not its beginning.
    const kept = found?.seed === seed ? found : undefined
    const theta =
      kept?.vectors.theta ??
      options.start ??
      initialWeights(training.contract, { seed, profileScale: profileScale(sources, seed) })
    let state: TrainingState = {
      theta,
      m: kept?.vectors.m ?? zero(),
      v: kept?.vectors.v ?? zero(),
    }
    const average = kept?.vectors.average.slice() ?? Float32Array.from(theta)
    let best = kept?.vectors.best ?? Float32Array.from(theta)
    let { bestWql, bestStep } = kept ?? { bestWql: Infinity, bestStep: 0 }
    const losses = [...(kept?.losses ?? [])]
    const spent = kept?.minutes ?? 0
    const peak = options.peakRate ?? (options.start ? 0.0007 : 0.002)

    const batches = [trainingBatch(size), trainingBatch(size)] as const
    const draw = (place: number) => drawBatch(batches[place % 2]!, sources, { seed, place })
    const steps = kept?.steps ?? options.steps ?? (await fittingSteps())
    const judgeEvery = options.judgeEvery ?? Math.max(25, Math.round(steps / 20))

    /** How many steps fit into the minutes given, by timing a few. */
    async function fittingSteps(): Promise<number> {
      const batch = draw(0)
      await training.step(state, batch, { step: 1, lr: 0 })
      const began = clock()
      for (let i = 0; i < timedSteps; i++) await training.step(state, batch, { step: 1, lr: 0 })
      const perStep = ((clock() - began) / timedSteps) * 1.12
      return Math.max(50, Math.floor(((options.minutes ?? 10) * 60_000) / perStep))
    }

    const began = clock()
    const minutes = (): number => spent + (clock() - began) / 60_000
    const first = (kept?.step ?? 0) + 1
    let lossSum = 0
    let lossCount = 0
    let step = first
    let next = draw(first)
    for (; step <= steps; step++) {
      const lr = learningRate({ steps, peak }, step)
      const running = training.step(state, next, { step, lr })
      // Drawn while the graph runs on its own threads.
      if (step < steps) next = draw(step + 1)
      const { loss, gradNorm, ...after } = await running
      if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
        throw new Error(
          `step ${step}: the loss is ${loss}, the gradient's norm ${gradNorm}; stopped`,
        )
      }
      state = after
      blend(average, after.theta, Math.min(averageDecay, step / (step + 10)))
      lossSum += loss
      lossCount++
      const last = step === steps || options.stopped?.() === true
      const progress = {
        step,
        steps,
        loss: lossSum / lossCount,
        rate: lr,
        etaMs: ((clock() - began) / (step - first + 1)) * (steps - step),
      }
      if (step % judgeEvery !== 0 && !last) {
        if (step % 10 === 0) options.onProgress?.(progress)
        continue
      }
      const judged = await validation.judge(average)
      losses.push([step, progress.loss])
      lossSum = lossCount = 0
      if (judged.wql < bestWql) {
        bestWql = judged.wql
        bestStep = step
        best = Float32Array.from(average)
      }
      options.onProgress?.({ ...progress, judged })
      if (checkpoints !== undefined) {
        const vectors = { ...state, average, best }
        const rest = { step, steps, seed, minutes: minutes(), bestStep, bestWql, losses }
        writeCheckpoint(checkpoints, { ...rest, vectors })
      }
      if (last || step - bestStep >= patience * judgeEvery) break
    }
    return { theta: best, step: bestStep, steps, wql: bestWql, minutes: minutes(), losses }
  } finally {
    validation.close()
    await training.close()
  }
}

function blend(average: Float32Array, next: Float32Array, decay: number): void {
  for (let i = 0; i < average.length; i++) {
    average[i] = decay * average[i]! + (1 - decay) * next[i]!
  }
}
