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

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Shares of the history at its end that are kept from training: to choose contenders by, and to report on. */
const selected = { share: 0.1, most: 3 * dayMs }
const reported = { share: 0.2, most: 5 * dayMs }
/** Each of the three parts has as much at least: half a day. */
const leastMs = 12 * hourMs

export type TrainedModel = ModelFolder & { readonly report: BacktestReport }

/** Trains a model on one history and writes its folder, with the backtest of the days it never learnt from. */
export async function runTrain(options: RunTrainOptions): Promise<TrainedModel> {
  const { out, base, onProgress, onWarning, clock } = options
  const graphs = options.graphs ?? graphsFolder
  const history = options.fleet ?? (await read(options))
  const start = base === undefined ? undefined : checkedBase(base, graphs)

  const { selectFrom, reportFrom } = splitHistory(history)
  const source = { history, weight: 1 }
  const sources: readonly Source[] = [{ ...source, from: history.from, to: selectFrom }]
  if (history.intervalMinutes > 5) {
    onWarning?.(`${history.name}: steps of ${history.intervalMinutes} minutes hide short peaks`)
  }
  return trainModel({
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
}

/** A history is learnt from first, then contenders are chosen on it, and its last days are reported on alone. */
function splitHistory({ name, from, to }: FleetHistory): {
  readonly selectFrom: number
  readonly reportFrom: number
} {
  const span = to - from
  const lengthOf = ({ share, most }: { readonly share: number; readonly most: number }): number =>
    Math.min(most, Math.max(leastMs, share * span))
  const reportFrom = to - lengthOf(reported)
  const selectFrom = reportFrom - lengthOf(selected)
  // A minute less than 36 h is what a file of 36 h covers from its first to its last row.
  const missing = leastMs - (selectFrom - from)
  if (missing > 15 * 60_000) {
    throw new Error(
      `${name}: ${(span / hourMs).toFixed(1)} h of history, expected at least 36: 12 to learn from, ` +
        `12 to choose by and 12 to judge by; ${(missing / hourMs).toFixed(1)} h are missing`,
    )
  }
  return { selectFrom, reportFrom }
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
  readonly id?: string
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
  const selectOn = options.selectOn ?? options.validation
  const parts = selectOn.length + options.judgedOn.length
  let done = 0
  async function judge(list: readonly Stretch[], shortenEvery?: number): Promise<BacktestReport[]> {
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
  await inference.close()
  const folder = writeModelFolder(out, {
    ...{ graphs, theta: trained.theta, calibration, manifest },
    report: { ...report, also, calibration: calibrated, losses: trained.losses },
  })
  rmSync(draft.folder, { recursive: true, force: true })
  if (options.checkpoints !== undefined) forgetCheckpoint(options.checkpoints)
  return { ...folder, report: report! }
}

function hideProfiles(source: Source): Source {
  const servers = source.history.servers.map((server) => ({ ...server, profile: undefined }))
  return { ...source, history: { ...source.history, servers } }
}
