import { availableParallelism } from 'node:os'
import { backtest } from '../backtest/backtest.ts'
import { judgeMissing, mostRatio } from '../backtest/missing-metrics.ts'
import { learntUntil, openModels, type OpenModels } from '../backtest/open-models.ts'
import type { BacktestReport } from '../backtest/report.ts'
import type { FleetHistory } from '../history/fleet-history.ts'
import { loadHistory } from '../history/load-history.ts'
import { simulatedHistory } from '../history/simulated-history.ts'
import { baseModelFolder } from '../model/shipped.ts'
import type { BenchFigure } from './train-bench.ts'

export type AccuracyBench = {
  readonly small: boolean
  /** A history file to judge on beside the simulated fleet. */
  readonly history?: string | undefined
  /**
   * The first instant (ms) of the history that is judged; default: where the models stopped learning. Of models whose
   * early stopping or calibration saw later days it has to be later.
   */
  readonly from?: number | undefined
  /** Model folders, seeds of one training; default: the shipped model. */
  readonly models?: readonly string[] | undefined
  /** A model that never learnt from `history`. */
  readonly zeroShot?: string | undefined
  /** ms that only grow. */
  readonly clock: () => number
  /** The instant that the figures carry. */
  readonly at: string
  readonly warn: (sentence: string) => void
}

const dayMs = 86_400_000
/** Of the fleet that no training has: neither its servers nor the shapes of its faults. */
const fleetSeed = 4078
const bar = 0.88

/** How good the forecasts are against the best baseline, on days and servers that no training has seen. */
export async function benchAccuracy(options: AccuracyBench): Promise<readonly BenchFigure[]> {
  const { small, clock, at, warn, models: folders = [baseModelFolder] } = options
  const opened = await openModels(folders)
  const conditions = (of: BacktestReport) => ({
    ...{ cores: availableParallelism(), device: 'cpu', node: process.version, at },
    ...{ models: folders.length, history: of.history, from: of.from, to: of.to },
    ...{ windows: of.windows, bestBaseline: of.bestBaseline, seed: fleetSeed },
  })
  const of = (
    name: string,
    report: BacktestReport,
    [figure, bar, ok]: readonly [number, string, boolean],
  ) => ({
    ...{ name, figure, bar, ok, conditions: conditions(report) },
    unit: name.includes('skill') ? 'share' : '× best baseline',
  })
  try {
    const { fleet, from, every } = heldOut(small)
    const simulated = await judge(opened, fleet, { from, every, clock })
    const figures = [
      of('WQL on a simulated fleet with held-out faults', simulated, [
        ...([simulated.seeds?.wqlRatio?.figure ?? simulated.wqlRatio!, '≤ 1'] as const),
        (simulated.seeds?.wqlRatio?.figure ?? simulated.wqlRatio!) <= 1,
      ]),
      skillOf('skill on a simulated fleet with held-out faults, lower end of 95 %', simulated, of),
    ]
    const cells = await judgeMissing({
      ...{ history: fleet, from, to: fleet.to, clock, model: opened.models[0]! },
      every: 8 * every,
    })
    const worst = Math.max(...cells.map(({ ratio }) => ratio ?? Infinity))
    figures.push({
      ...of('WQL with 1, 4, 7 or 14 metrics present, the worst', simulated, [
        ...([worst, `≤ ${mostRatio}`] as const),
        cells.every(({ ok }) => ok),
      ]),
      ...{ beside: { cells } },
    })
    if (options.history === undefined) {
      warn('accuracy: no --history FILE, so the bars on a real history are NOT measured')
      return figures
    }
    return [...figures, ...(await realFigures(options.history, opened, { options, of }))]
  } finally {
    await opened.close()
  }
}

type Make = (
  name: string,
  report: BacktestReport,
  figure: readonly [number, string, boolean],
) => BenchFigure

async function realFigures(
  path: string,
  opened: OpenModels,
  { options, of }: { readonly options: AccuracyBench; readonly of: Make },
): Promise<readonly BenchFigure[]> {
  const { small, clock, warn, zeroShot } = options
  const history = await loadHistory(path, { onWarning: warn })
  const learnt = learntUntil(opened.folders[0]!, history.name)
  const from = options.from ?? learnt ?? Math.min(history.from + 8 * dayMs, history.to - dayMs)
  if (learnt !== undefined && from < learnt) {
    const until = new Date(learnt).toISOString()
    throw new Error(
      `the models learnt from ${history.name} until ${until}: judge them on later days`,
    )
  }
  const every = small ? 600 : 60
  const report = await judge(opened, history, { from, every, clock })
  const mean = report.seeds?.wqlRatio?.figure ?? report.wqlRatio!
  const seeds = opened.models.length
  const figures = [
    of(`WQL on ${history.name}, mean of ${seeds} seeds`, report, [mean, `≤ ${bar}`, mean <= bar]),
    skillOf(`skill on ${history.name}, lower end of 95 %`, report, of),
  ]
  if (learnt === undefined || zeroShot !== undefined) {
    const other = zeroShot === undefined ? undefined : await openModels([zeroShot])
    if (other && learntUntil(other.folders[0]!, history.name) !== undefined) {
      throw new Error(`${zeroShot} learnt from ${history.name}: it is no zero-shot model of it`)
    }
    const found = other ? await judge(other, history, { from, every, clock }) : report
    await other?.close()
    const ratio = found.wqlRatio!
    figures.push(
      of(`WQL on ${history.name}, never trained on it`, found, [ratio, '≤ 1', ratio <= 1]),
    )
  } else {
    warn(`accuracy: no --zero-shot FOLDER, so zero-shot on ${history.name} is NOT measured`)
  }
  return figures
}

function skillOf(name: string, report: BacktestReport, of: Make): BenchFigure {
  const skill = report.seeds?.skill ?? report.skill
  if (!skill) throw new Error(`${report.history}: nothing could be compared`)
  return of(name, report, [skill.low, '> 0', skill.low > 0])
}

const judge = (
  { models, folders }: OpenModels,
  history: FleetHistory,
  rest: { readonly from: number; readonly every: number; readonly clock: () => number },
): Promise<BacktestReport> => {
  const [model, ...otherSeeds] = models
  const until = learntUntil(folders[0]!, history.name)
  return backtest({ ...rest, history, model, otherSeeds, learntUntil: until, shortenEvery: 0 })
}

/** A fleet of other servers than any training shows, with fault shapes that none shows; judged after its first days. */
function heldOut(small: boolean): { fleet: FleetHistory; from: number; every: number } {
  const startAt = Date.UTC(2025, 7, 4)
  const size = small ? { servers: 7, days: 3 } : { servers: 60, days: 11 }
  const fleet = simulatedHistory({ ...size, seed: fleetSeed, startAt, heldOutFaults: true })
  return { fleet, from: startAt + (size.days - (small ? 1.5 : 3)) * dayMs, every: small ? 240 : 60 }
}
