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
import { fitCalibration } from '../calibration/fit.ts'
import { type CalibrationReport, judgeCalibration } from '../calibration/judge.ts'
import { servingBaselines } from '../calibration/serving-baselines.ts'
import { openInference } from '../onnx/inference.ts'
import { readGraphContract } from '../onnx/training.ts'
import { graphsFolder } from '../model/shipped.ts'
import { rmSync } from 'node:fs'
import { compareModels, type ModelComparison } from '../promotion/compare-models.ts'
import { forgetCheckpoint } from './checkpoint.ts'
import { lengthMissing, splitHistory } from './split-history.ts'
import { train, type TrainProgress } from './train.ts'
import type { Source } from './training-set.ts'

export type RunTrainProgress =
  | { readonly stage: 'reading'; readonly share: number }
  | ({ readonly stage: 'training' } & TrainProgress)
  | { readonly stage: 'judging' | 'comparing'; readonly share: number; readonly etaMs: number }

export type RunTrainOptions = {
  /** A history file; or a history that is in memory already. */
  readonly history?: string | undefined
  readonly fleet?: FleetHistory | undefined
  /** The model folder to write. */
  readonly out: string
  /** What the model is called; default: a name made of time and seed. */
  readonly id?: string | undefined
  /** A model folder to go on from; without one the training starts afresh. */
  readonly base?: string | undefined
  /** The folder of the model that serves: the new one is compared with it on the days that neither decided by. */
  readonly champion?: string | undefined
  readonly seed: number
  /** How long to train; default 10. Or how many steps. */
  readonly minutes?: number | undefined
  readonly steps?: number | undefined
  /** Windows that weights are judged by while training; default 640. */
  readonly judgedWindows?: number | undefined
  /** Steps between judgements; default a twentieth of the run, at least 25. */
  readonly judgeEvery?: number | undefined
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

/** Minutes of all servers together that a training holds of a file: 0.6 GB, of the 2 GB that it may take. */
const maxMinutes = 4_000_000

export type TrainedModel = ModelFolder & {
  readonly report: BacktestReport
  /** With the champion, where one was named and fits; else why not. */
  readonly comparison?: ModelComparison | { readonly impossible: string }
}

/** Trains a model on one history and writes its folder, with the backtest of the days it never learnt from. */
export async function runTrain(options: RunTrainOptions): Promise<TrainedModel> {
  const { out, base, onProgress, onWarning, clock } = options
  const graphs = options.graphs ?? graphsFolder
  const history = options.fleet ?? (await read(options))
  const start = base === undefined ? undefined : checkedBase(base, graphs)

  const missing = lengthMissing(history)
  if (missing !== undefined) throw new Error(missing)
  const { selectFrom, reportFrom } = splitHistory(history)
  const source = { history, weight: 1 }
  const sources: readonly Source[] = [{ ...source, from: history.from, to: selectFrom }]
  if (history.intervalMinutes > 5) {
    onWarning?.(`${history.name}: steps of ${history.intervalMinutes} minutes hide short peaks`)
  }
  const trained = await trainModel({
    ...options,
    graphs,
    sources,
    validation: [{ ...source, from: selectFrom, to: reportFrom }],
    judgedOn: [{ history, from: reportFrom, to: history.to }],
    parent: start?.manifest.id ?? null,
    start: start && readWeights(start.folder),
    minutes: options.minutes ?? 10,
    checkpoints: options.checkpoints ?? `${out}.checkpoints`,
    onProgress,
    clock,
  })
  if (options.champion === undefined) return trained
  const comparison = await compareModels({
    ...{ history, from: reportFrom, to: history.to, graphs, clock, threads: options.threads },
    ...{ challenger: trained.folder, champion: options.champion },
    onProgress: (progress) => onProgress?.({ stage: 'comparing', ...progress }),
  })
  return { ...trained, comparison }
}

async function read({ history, onProgress, onWarning }: RunTrainOptions): Promise<FleetHistory> {
  if (history === undefined) throw new Error('nothing to learn from: no history was given')
  return loadHistory(history, {
    maxMinutes,
    onWarning,
    onProgress: ({ share }) => onProgress?.({ stage: 'reading', share }),
  })
}

function checkedBase(folder: string, graphs: string): ModelFolder {
  const base = readModelFolder(folder, { graphs })
  if ('refused' in base) throw new Error(`the base model does not fit: ${base.refused}`)
  return base
}

type Stretch = { readonly history: FleetHistory; readonly from: number; readonly to: number }

export type TrainModelOptions = Omit<RunTrainOptions, 'history' | 'fleet' | 'base' | 'graphs'> & {
  readonly graphs: string
  readonly sources: readonly Source[]
  readonly validation: readonly Source[]
  /** Backtests that go into the model's report, and decide nothing. */
  readonly judgedOn: readonly Stretch[]
  /** Backtests that choose who serves each metric, the one that counts most first; default: the validation. */
  readonly selectOn?: readonly Stretch[]
  /** False hides every profile in training, and with it what profiles usually do: for the ablation. Default true. */
  readonly profiles?: boolean
  readonly parent: string | null
  readonly start?: Float32Array | undefined
  readonly peakRate?: number | undefined
  readonly patience?: number
  readonly id?: string | undefined
}

/** Trains on any mix of sources, backtests the result and writes its model folder. */
export async function trainModel(options: TrainModelOptions): Promise<TrainedModel> {
  const { out, graphs, seed, onProgress, clock, threads = 2 } = options
  const shown = (list: readonly Source[]): readonly Source[] =>
    options.profiles === false ? list.map(hideProfiles) : list
  const sources = shown(options.sources)
  const trained = await train({
    ...{ ...options, sources, validation: shown(options.validation), threads },
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
    manifest: toManifest({ ...facts, selections: [], reports: [] }),
  })
  const inference = await openInference(draft.folder, { threads })
  try {
    return await judgeAndKeep()
  } finally {
    await inference.close()
    rmSync(draft.folder, { recursive: true, force: true })
  }

  async function judgeAndKeep(): Promise<TrainedModel> {
    const selectOn = options.selectOn ?? options.validation
    const parts = selectOn.length + options.judgedOn.length
    let done = 0
    async function judge(
      list: readonly Stretch[],
      shortenEvery?: number,
    ): Promise<BacktestReport[]> {
      const reports: BacktestReport[] = []
      for (const { history, from, to } of list) {
        const report = await backtest({
          ...{ history, from, to, clock, model: { id, inference } },
          ...(shortenEvery !== undefined && { shortenEvery }),
          learntUntil: options.sources.find((source) => source.history === history)?.to,
          unknownProfile: options.profiles === false,
          onProgress: ({ share, etaMs }) =>
            onProgress?.({ stage: 'judging', share: (done + share) / parts, etaMs }),
        })
        reports.push(report)
        done++
      }
      return reports
    }
    const selections = await judge(selectOn, 0)
    const reports = await judge(options.judgedOn)
    const [report, ...also] = reports
    const manifest = toManifest({ ...facts, selections, reports })
    const calibration = await fitCalibration({
      ...{ inference, stretches: selectOn, baselines: servingBaselines(manifest.serves) },
    })
    const calibrated: CalibrationReport[] = []
    for (const stretch of options.judgedOn) {
      const { serves } = manifest
      calibrated.push(await judgeCalibration({ ...stretch, calibration, inference, serves }))
    }
    const folder = writeModelFolder(out, {
      ...{ graphs, theta: trained.theta, calibration, manifest },
      report: { ...report, also, calibration: calibrated, losses: trained.losses },
    })
    if (options.checkpoints !== undefined) forgetCheckpoint(options.checkpoints)
    return { ...folder, report: report! }
  }
}

function hideProfiles(source: Source): Source {
  const servers = source.history.servers.map((server) => ({ ...server, profile: undefined }))
  return { ...source, history: { ...source.history, servers } }
}
