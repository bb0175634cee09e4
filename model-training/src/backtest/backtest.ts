import { baselineNames } from '@harbinger/shared/forecast/baseline-names'
import type { FleetHistory } from '../history/fleet-history.ts'
import { collect, type Model, originsOf, type Progress } from './collect.ts'
import { criticalRules, type IncidentRule, toRule } from './incident-rules.ts'
import { openIncidentScore } from './incidents.ts'
import { type BacktestReport, toReport } from './report.ts'
import { backtestSlow } from './slow-metrics.ts'

export type BacktestOptions = {
  readonly history: FleetHistory
  /** The trained contender; without one only the baselines compete. */
  readonly model?: Model | undefined
  /** Other seeds of the same training, judged on the same windows. */
  readonly otherSeeds?: readonly Model[] | undefined
  /** Until when (ms) the model learnt from this history; a server first measured later is new. Default: all are. */
  readonly learntUntil?: number | undefined
  /** Scores origins from here on; default: the first instant with a day of history before it. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Minutes between origins; default 60. */
  readonly every?: number | undefined
  /** Profile hidden from the model; default false. */
  readonly unknownProfile?: boolean
  /** Whose incidents are to be foreseen; default: the critical limits of each server's profile. */
  readonly limits?: readonly IncidentRule[]
  /** Every n-th origin is also scored with shortened history; default 6, 0 leaves that out. */
  readonly shortenEvery?: number
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly clock: () => number
}

const dayMs = 86_400_000

/**
 * Forecasts from every origin with only what was known then, and scores what was measured after: the one judge of
 * models and baselines.
 */
export async function backtest(options: BacktestOptions): Promise<BacktestReport> {
  const { history, model, otherSeeds = [], every = 60, shortenEvery = 6, clock } = options
  const from = options.from ?? history.from + dayMs
  const to = options.to ?? history.to
  const origins = originsOf(history, { from, to, every })
  const incidents = openIncidentScore(history, options.limits?.map(toRule) ?? criticalRules)
  const collected = await collect({
    ...{ history, origins, shortenEvery, clock, baselines: baselineNames },
    models: model ? [model, ...otherSeeds] : [],
    unknownProfile: options.unknownProfile,
    onForecast: incidents.add,
    onProgress: options.onProgress,
  })
  return toReport({
    ...{ history, from, to, origins: origins.length, collected },
    learntUntil: options.learntUntil,
    incidents: incidents.report(),
    slowMetrics: backtestSlow({ history, from, to }),
  })
}
