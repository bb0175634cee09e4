import type { ModelComparison } from '@harbinger/model-training/promotion/compare-models'
import type { RunTrainProgress } from '@harbinger/model-training/train/run-train'
import type { OwnHistoryOptions } from './own-history.ts'

/** What to learn from: a file, or what the hub of a data folder has measured. */
export type HistoryChoice =
  | { readonly kind: 'file'; readonly file: string }
  | ({ readonly kind: 'own' } & Omit<OwnHistoryOptions, 'onWarning'>)

export type TrainJob = {
  readonly task: 'train'
  /** What the model will be called, and the folder it will be in. */
  readonly id: string
  readonly out: string
  readonly checkpoints: string
  readonly history: HistoryChoice
  /** Folder of the model to go on from; undefined starts afresh. */
  readonly base?: string | undefined
  /** Folder of the model that the new one is compared with. */
  readonly champion?: string | undefined
  readonly seed: number
  readonly threads: number
  readonly minutes?: number | undefined
  readonly steps?: number | undefined
  readonly judgedWindows?: number | undefined
  readonly judgeEvery?: number | undefined
}

/** Compares a model that is there already with the one that serves. */
export type JudgeJob = {
  readonly task: 'judge'
  readonly id: string
  /** Folders. */
  readonly challenger: string
  readonly champion: string
  readonly history: HistoryChoice
  /** Origins from here on (ms); default: the last days, as a training keeps them from itself. */
  readonly from?: number | undefined
  readonly threads: number
}

export type ToTraining = TrainJob | JudgeJob
export type TrainingProgress = RunTrainProgress

export type Comparison = ModelComparison | { readonly impossible: string }
export type TrainingOutcome = {
  readonly folder: string
  readonly id: string
  readonly comparison?: Comparison | undefined
  /** The most memory that the process held, MB. */
  readonly peakMemoryMb: number
}

export type FromTraining =
  | { readonly kind: 'progress'; readonly progress: TrainingProgress }
  | { readonly kind: 'warning'; readonly sentence: string }
  | ({ readonly kind: 'done' } & TrainingOutcome)
  | { readonly kind: 'failed'; readonly message: string }
