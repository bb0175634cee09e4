import { networkMetricNames } from '@harbinger/shared/metrics'
import type { Manifest } from '@harbinger/shared/model'
import { contractVersion } from '@harbinger/shared/version'
import type { BacktestReport, Slice } from '../backtest/report.ts'
import type { FleetHistory } from '../history/fleet-history.ts'
import type { Source } from '../train/training-set.ts'
import type { Trained } from '../train/train.ts'

export type ManifestFacts = {
  readonly id: string
  readonly definition: string
  readonly trainedAt: number
  readonly sources: readonly Source[]
  readonly trained: Trained
  readonly seed: number
  readonly parent: string | null
  /** Backtests the model is judged by, the one that counts most first. */
  readonly reports: readonly BacktestReport[]
}

/** What a model says of itself: where it comes from, how good it is, and which metrics it may serve. */
export function toManifest(facts: ManifestFacts): Omit<Manifest, 'files'> {
  const { sources, trained, reports } = facts
  const learnt = networkMetricNames.filter((name) =>
    sources.some(({ history }) => history.metrics.includes(name)),
  )
  return {
    id: facts.id,
    contractVersion,
    kind: 'tft',
    definition: facts.definition,
    trainedAt: new Date(facts.trainedAt).toISOString(),
    trainedOn: sources.map(({ history, from, to }) => ({
      name: history.name,
      servers: history.servers.length,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      simulated: history.simulated,
    })),
    training: {
      seed: facts.seed,
      steps: trained.step,
      minutes: Number(trained.minutes.toFixed(2)),
      parent: facts.parent,
    },
    metrics: [...learnt],
    scores: scoresOf(reports),
    serves: Object.fromEntries(
      networkMetricNames.map((name) => [
        name,
        learnt.includes(name)
          ? whoServes(reports.flatMap(({ byMetric }) => byMetric[name] ?? []))
          : { model: false, reason: 'not in the training data' },
      ]),
    ),
  }
}

function scoresOf(reports: readonly BacktestReport[]): Record<string, number> {
  const [first] = reports
  const scores: Record<string, number> = {}
  const note = (name: string, value: number | null | undefined): void => {
    if (value !== null && value !== undefined) scores[name] = value
  }
  note('wql', first?.model?.wql)
  note('wqlRatio', first?.wqlRatio)
  note('coverage80', first?.model?.coverage80)
  note('medianMase', first?.model?.medianMase)
  for (const report of reports.slice(1)) note(`wqlRatio ${report.history}`, report.wqlRatio)
  return scores
}

/** The first backtest that has the metric decides; where the baseline was better, the baseline serves. */
function whoServes(slices: readonly Slice[]): { model: boolean; reason: string } {
  const judged = slices.find(({ ratio }) => ratio !== null)
  if (!judged) return { model: false, reason: 'nothing was measured to judge it by' }
  const better = judged.ratio! <= 1
  const told = `in the backtest its weighted quantile loss was ${judged.model!.toFixed(4)}, that of ${judged.bestBaseline} ${judged.baselines[judged.bestBaseline!]!.toFixed(4)}`
  return { model: better, reason: told }
}

/** A name that tells when a model was made and from what seed: tft-20250203T0405-1. */
export const modelId = (at: number, seed: number): string =>
  `tft-${new Date(at).toISOString().slice(0, 16).replaceAll(/[-:]/g, '')}-${seed}`

export const historySpan = (history: FleetHistory): string =>
  `${history.servers.length} servers, ${new Date(history.from).toISOString()} to ${new Date(history.to).toISOString()}`
