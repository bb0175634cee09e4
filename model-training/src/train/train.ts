import { openTraining, type TrainingState } from '../onnx/training.ts'
import { openBatchesAhead } from './batches-ahead.ts'
import { type LossPoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { initialWeights } from './initial-weights.ts'
import { profileScale } from './profile-scale.ts'
import { runName } from './run-name.ts'
import { learningRate } from './schedule.ts'
import { checkSources, type Source } from './training-set.ts'
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
  readonly onWarning?: ((sentence: string) => void) | undefined
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
  /** The loss curve so far, a point per judgement. */
  readonly losses: readonly LossPoint[]
}

export type Trained = {
  /** The best averaged weights by the validation. */
  readonly theta: Float32Array
  readonly step: number
  readonly steps: number
  readonly wql: number
  readonly minutes: number
  readonly losses: readonly LossPoint[]
}

/** Weights are averaged over about so many steps (1 / (1 − decay)); the average is what is judged and kept. */
const averageDecay = 0.995
const timedSteps = 6

/** A run writes down where it is at least so often, beside what it writes at each judgement. */
const checkpointEveryMs = 60_000

/**
 * Trains the network: the loop around the training graph. Equal seed, sources, steps and threads give equal weights on
 * one machine, also when the run was killed on its way and goes on from its checkpoint.
 */
export async function train(options: TrainOptions): Promise<Trained> {
  const { graphs, sources, seed, clock, threads = 2, patience = 6, checkpoints } = options
  checkSources(sources)
  const training = await openTraining(graphs, { threads })
  const { contract } = training
  const judgedWindows = options.judgedWindows ?? 640
  const validation = openValidation(options.validation, {
    ...{ graphs, seed: seed + 1, threads, windows: judgedWindows },
  })
  const ahead = openBatchesAhead(sources, { seed, size: contract.train.batch })
  const zero = (): Float32Array => new Float32Array(contract.trainableSize)
  try {
    const peak = options.peakRate ?? (options.start ? 0.0007 : 0.002)
    const run = runName(
      {
        ...{ definition: contract.definition.sha256, seed, threads, peak, patience, judgedWindows },
        ...{ steps: options.steps, minutes: options.minutes, judgeEvery: options.judgeEvery },
      },
      [...sources, ...options.validation],
      options.start,
    )
    const found = checkpoints === undefined ? undefined : readCheckpoint(checkpoints)
    const kept = found?.run === run ? found : undefined
    if (found && !kept) {
      options.onWarning?.(
        `the checkpoint in ${checkpoints} is of another training (other settings or history); this one starts from its beginning`,
      )
    }
    const theta =
      kept?.vectors.theta ??
      options.start ??
      initialWeights(contract, { seed, profileScale: profileScale(sources, seed) })
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

    const steps = kept?.steps ?? options.steps ?? (await fittingSteps())
    const judgeEvery = options.judgeEvery ?? Math.max(25, Math.round(steps / 20))

    /** How many steps fit into the minutes given, by timing a few. */
    async function fittingSteps(): Promise<number> {
      const batch = await ahead.at(0)
      await training.step(state, batch, { step: 1, lr: 0 })
      const began = clock()
      for (let i = 0; i < timedSteps; i++) await training.step(state, batch, { step: 1, lr: 0 })
      const perStep = ((clock() - began) / timedSteps) * 1.12
      return Math.max(50, Math.floor(((options.minutes ?? 10) * 60_000) / perStep))
    }

    const began = clock()
    const minutes = (): number => spent + (clock() - began) / 60_000
    const first = (kept?.step ?? 0) + 1
    let { lossSum, lossCount } = kept ?? { lossSum: 0, lossCount: 0 }
    let writtenAt = began
    function keep(step: number): void {
      if (checkpoints === undefined) return
      const vectors = { ...state, average, best }
      const rest = { minutes: minutes(), bestStep, bestWql, losses, lossSum, lossCount }
      writeCheckpoint(checkpoints, { run, step, steps, ...rest, vectors })
      writtenAt = clock()
    }
    // How many steps fit is measured once: a run that is killed early goes on with the same number.
    if (!kept) keep(0)
    const isOver = (step: number): boolean =>
      step >= steps || (losses.at(-1)?.[0] === step && step - bestStep >= patience * judgeEvery)

    for (let step = first; !isOver(step - 1); step++) {
      const lr = learningRate({ steps, peak }, step)
      const { loss, gradNorm, ...after } = await training.step(state, await ahead.at(step), {
        ...{ step, lr },
      })
      if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
        throw new Error(
          `step ${step}: the loss is ${loss}, the gradient's norm ${gradNorm}; stopped`,
        )
      }
      state = after
      blend(average, after.theta, Math.min(averageDecay, step / (step + 10)))
      lossSum += loss
      lossCount++
      const stopped = options.stopped?.() === true
      const progress = {
        ...{ step, steps, loss: lossSum / lossCount, rate: lr },
        etaMs: ((clock() - began) / (step - first + 1)) * (steps - step),
      }
      if (step % judgeEvery !== 0 && step !== steps && !stopped) {
        if (step % 10 === 0) options.onProgress?.({ ...progress, losses })
        if (clock() - writtenAt >= checkpointEveryMs) keep(step)
        continue
      }
      const judged = await validation.judge(average)
      losses.push([step, progress.loss, judged.wql])
      lossSum = lossCount = 0
      if (judged.wql < bestWql) {
        bestWql = judged.wql
        bestStep = step
        best = Float32Array.from(average)
      }
      options.onProgress?.({ ...progress, judged, losses })
      keep(step)
      if (stopped) break
    }
    return { theta: best, step: bestStep, steps, wql: bestWql, minutes: minutes(), losses }
  } finally {
    await ahead.close()
    validation.close()
    await training.close()
  }
}

function blend(average: Float32Array, next: Float32Array, decay: number): void {
  for (let i = 0; i < average.length; i++) {
    average[i] = decay * average[i]! + (1 - decay) * next[i]!
  }
}
