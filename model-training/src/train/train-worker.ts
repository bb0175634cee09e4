import { setPriority } from 'node:os'
import { runTrain, type RunTrainOptions, type RunTrainProgress } from './run-train.ts'

/*
 * The process that `startTraining` forks: it takes one job from its parent, trains, reports and ends. A hub that
 * trains beside its forecasts gives it the lowest priority but one.
 */

export type TrainJob = Omit<
  RunTrainOptions,
  'fleet' | 'onProgress' | 'onWarning' | 'stopped' | 'clock'
> & { readonly history: string }

export type TrainMessage =
  | { readonly kind: 'progress'; readonly progress: RunTrainProgress }
  | { readonly kind: 'warning'; readonly sentence: string }
  | { readonly kind: 'done'; readonly folder: string; readonly id: string }
  | { readonly kind: 'failed'; readonly message: string }

const lowPriority = 15

const tell = (message: TrainMessage): void => void process.send?.(message)

process.once('message', (job: TrainJob) => {
  setPriority(lowPriority)
  runTrain({
    ...job,
    clock: Date.now,
    onProgress: (progress) => tell({ kind: 'progress', progress }),
    onWarning: (sentence) => tell({ kind: 'warning', sentence }),
  }).then(
    ({ folder, manifest }) => {
      tell({ kind: 'done', folder, id: manifest.id })
      process.disconnect?.()
    },
    (error: unknown) => {
      tell({ kind: 'failed', message: (error as Error).message })
      process.disconnect?.()
    },
  )
})

// A parent that is gone has nobody left to report to; the checkpoint keeps what was done.
process.once('disconnect', () => process.exit())
