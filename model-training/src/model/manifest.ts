import { networkMetricNames } from '@harbinger/shared/metrics'
import type { Manifest } from '@harbinger/shared/model'
import { contractVersion } from '@harbinger/shared/version'
import { chooseContenders } from '../backtest/choose.ts'
import type { BacktestReport } from '../backtest/report.ts'
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
  /** Backtests by which the contenders are chosen, on days that `reports` are not of; the one that counts most first. */
  readonly selections: readonly BacktestReport[]
  /** Backtests the model is reported by, the one that counts most first. */
  readonly reports: readonly BacktestReport[]
}

/** What a model says of itself: where it comes from, how good it is, and who serves each metric. */
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
    serves: chooseContenders(facts.selections, learnt),
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

/** A name that tells when a model was made and from what seed: tft-20250203T0405-1. */
export const modelId = (at: number, seed: number): string =>
  `tft-${new Date(at).toISOString().slice(0, 16).replaceAll(/[-:]/g, '')}-${seed}`

export const historySpan = (history: FleetHistory): string =>
  `${history.servers.length} servers, ${new Date(history.from).toISOString()} to ${new Date(history.to).toISOString()}`
