import { backtest } from '../backtest/backtest.ts'
import type { BacktestReport } from '../backtest/report.ts'
import type { FleetHistory } from '../history/fleet-history.ts'
import { loadHistory } from '../history/load-history.ts'
import { modelId, toManifest } from '../model/manifest.ts'
import {
  type ModelFolder,
  readModelFolder,
  readWeights,
  writeModelFolder,
} from '../model/model-folder.ts'
import { openInference } from '../onnx/inference.ts'
import { readGraphContract } from '../onnx/training.ts'
import { graphsFolder } from '../model/shipped.ts'
import { rmSync } from 'node:fs'
import { forgetCheckpoint } from './checkpoint.ts'
import { train, type TrainProgress } from './train.ts'
import type { Source } from './training-set.ts'

export type RunTrainProgress =
  | { readonly stage: 'reading'; readonly share: number }
  | ({ readonly stage: 'training' } & TrainProgress)
  | { readonly stage: 'judging'; readonly share: number; readonly etaMs: number }

export type RunTrainOptions = {
  /** A history file; or a history that is in memory already. */
  readonly history?: string | undefined
  readonly fleet?: FleetHistory | undefined
  /** The model folder to write. */
  readonly out: string
  /** A model folder to go on from; without one the training starts afresh. */
  readonly base?: string | undefined
  readonly seed: number
  /** How long to train; default 10. Or how many steps. */
  readonly minutes?: number | undefined
  readonly steps?: number | undefined
  /** Windows that weights are judged by while training; default 640. */
  readonly judgedWindows?: number | undefined
  /** Where a killed run goes on from; default beside `out`. */
  readonly checkpoints?: string | undefined
  readonly threads?: number | undefined
  readonly graphs?: string | undefined
  readonly onProgress?: ((progress: RunTrainProgress) => void) | undefined
  readonly onWarning?: ((sentence: string) => void) | undefined
  readonly stopped?: () => boolean
  /** ms since the epoch. */
  readonly clock: () => number
}

/** Of the history, this share at its end is kept from training, to judge by: at least 12 hours, at most 5 days. */
const keptShare = 0.2
const hourMs = 3_600_000
const keptAtLeastMs = 12 * hourMs
const keptAtMostMs = 5 * 24 * hourMs

export type TrainedModel = ModelFolder & { readonly report: BacktestReport }

/** Trains a model on one history and writes its folder, with the backtest of the days it never learnt from. */
export async function runTrain(options: RunTrainOptions): Promise<TrainedModel> {
  const { out, base, onProgress, onWarning, clock } = options
  const graphs = options.graphs ?? graphsFolder
  const history = options.fleet ?? (await read(options))
  const start = base === undefined ? undefined : checkedBase(base, graphs)

  const span = history.to - history.from
  const kept = Math.min(keptAtMostMs, Math.max(keptAtLeastMs, keptShare * span))
  const split = history.to - kept
  if (split - history.from < keptAtLeastMs) {
    throw new Error(
      `${history.name}: ${(span / hourMs).toFixed(1)} h of history, expected at least 24 to learn from and judge by`,
    )
  }
  const source = { history, weight: 1 }
  const sources: readonly Source[] = [{ ...source, from: history.from, to: split }]
  if (history.intervalMinutes > 5) {
    onWarning?.(`${history.name}: steps of ${history.intervalMinutes} minutes hide short peaks`)
  }
  return trainModel({
    ...options,
    graphs,
    sources,
    validation: [{ ...source, from: split, to: history.to }],
    judgedOn: [{ history, from: split, to: history.to }],
    parent: start?.manifest.id ?? null,
    start: start && readWeights(start.folder),
    minutes: options.minutes ?? 10,
    checkpoints: options.checkpoints ?? `${out}.checkpoints`,
    onProgress,
    clock,
  })
}

async function read({ history, onProgress, onWarning }: RunTrainOptions): Promise<FleetHistory> {
  if (history === undefined) throw new Error('nothing to learn from: no history was given')
  return loadHistory(history, {
    onWarning,
    onProgress: ({ share }) => onProgress?.({ stage: 'reading', share }),
  })
}

function checkedBase(folder: string, graphs: string): ModelFolder {
  const base = readModelFolder(folder, { graphs })
  if ('refused' in base) throw new Error(`the base model does not fit: ${base.refused}`)
  return base
}

export type TrainModelOptions = Omit<RunTrainOptions, 'history' | 'fleet' | 'base' | 'graphs'> & {
  readonly graphs: string
  readonly sources: readonly Source[]
  readonly validation: readonly Source[]
  /** Backtests that go into the model's report; the first decides which metrics it serves. */
  readonly judgedOn: readonly {
    readonly history: FleetHistory
    readonly from: number
    readonly to: number
  }[]
  readonly parent: string | null
  readonly start?: Float32Array | undefined
  readonly peakRate?: number | undefined
  readonly patience?: number
  readonly id?: string
}

/** Trains on any mix of sources, backtests the result and writes its model folder. */
export async function trainModel(options: TrainModelOptions): Promise<TrainedModel> {
  const { out, graphs, sources, seed, onProgress, clock, threads = 2 } = options
  const trained = await train({
    ...options,
    threads,
    onProgress: (progress) => onProgress?.({ stage: 'training', ...progress }),
  })
  const id = options.id ?? modelId(clock(), seed)
  const contract = readGraphContract(graphs)
  const facts = {
    ...{ id, definition: contract.definition.sha256, trainedAt: clock() },
    ...{ sources, trained, seed, parent: options.parent },
  }
  // The backtest runs the very files that are kept, not the weights in memory.
  const draft = writeModelFolder(`${out}.draft`, {
    ...{ graphs, theta: trained.theta, report: {} },
    manifest: toManifest({ ...facts, reports: [] }),
  })
  const inference = await openInference(draft.folder, { threads })
  const reports: BacktestReport[] = []
  for (const { history, from, to } of options.judgedOn) {
    reports.push(
      await backtest({
        ...{ history, from, to, clock, model: { id, inference } },
        onProgress: (progress) => onProgress?.({ stage: 'judging', ...progress }),
      }),
    )
  }
  await inference.close()
  const [report, ...also] = reports
  const folder = writeModelFolder(out, {
    ...{ graphs, theta: trained.theta, report: { ...report, also, losses: trained.losses } },
    manifest: toManifest({ ...facts, reports }),
  })
  rmSync(draft.folder, { recursive: true, force: true })
  if (options.checkpoints !== undefined) forgetCheckpoint(options.checkpoints)
  return { ...folder, report: report! }
}
