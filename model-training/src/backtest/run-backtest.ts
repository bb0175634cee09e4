import type { FleetHistory } from '../history/fleet-history.ts'
import { loadHistory } from '../history/load-history.ts'
import { backtest } from './backtest.ts'
import type { IncidentRule } from './incident-rules.ts'
import { judgeMissing, type MissingMetricsCell } from './missing-metrics.ts'
import { learntUntil, openModels } from './open-models.ts'
import { ablateProfiles, type ProfileReport } from './profile-ablation.ts'
import type { BacktestReport } from './report.ts'

export type RunBacktestProgress = {
  readonly stage: 'reading' | 'judging'
  readonly share: number
  readonly etaMs?: number
}

export type RunBacktestOptions = {
  /** A history file; or a history that is in memory already. */
  readonly history: string | FleetHistory
  /** A model folder; without one only the baselines compete. */
  readonly model?: string | undefined
  /** Model folders of other seeds of the same training. */
  readonly otherSeeds?: readonly string[]
  /** Adds how the model does where servers lack metrics; takes a minute or more. */
  readonly missingMetrics?: boolean
  /** Folders of models trained without profiles: adds what profiles are worth. */
  readonly withoutProfiles?: readonly string[]
  /** Scores origins from this instant (ms) on; earlier rows are history only. */
  readonly from?: number | undefined
  /** Minutes between origins; default 60. */
  readonly every?: number | undefined
  readonly limits?: readonly IncidentRule[]
  readonly unknownProfile?: boolean
  readonly threads?: number
  readonly graphs?: string
  readonly onProgress?: ((progress: RunBacktestProgress) => void) | undefined
  readonly onWarning?: ((sentence: string) => void) | undefined
  readonly clock: () => number
}

export type FullReport = BacktestReport & {
  readonly missingMetrics?: readonly MissingMetricsCell[]
  readonly profiles?: ProfileReport
}

const dayMs = 86_400_000
/** Between origins of what takes many runs: about three a day, on all hours in turn. */
const sparseMinutes = 460

/** Judges a model and all baselines on a history. */
export async function runBacktest(options: RunBacktestOptions): Promise<FullReport> {
  const { onProgress, onWarning } = options
  const history =
    typeof options.history === 'string'
      ? await loadHistory(options.history, {
          onWarning,
          onProgress: ({ share }) => onProgress?.({ stage: 'reading', share }),
        })
      : options.history
  const { model: folder, otherSeeds: others = [], withoutProfiles = [] } = options
  const judged = await openModels(folder === undefined ? [] : [folder, ...others], options)
  const without = await openModels(withoutProfiles, options)
  const [model, ...otherSeeds] = judged.models
  const from = options.from ?? history.from + dayMs
  const sparse = { history, from, to: history.to, clock: options.clock }
  const every = Math.max(sparseMinutes, options.every ?? 60)
  const tell = (share: number): void => onProgress?.({ stage: 'judging', share })
  try {
    const report = await backtest({
      ...{ ...options, history, from, model, otherSeeds },
      learntUntil: judged.folders[0] && learntUntil(judged.folders[0], history.name),
      onProgress: (progress) => onProgress?.({ stage: 'judging', ...progress }),
    })
    return {
      ...report,
      ...(options.missingMetrics &&
        model && {
          missingMetrics: await judgeMissing({ ...sparse, every, model, onProgress: tell }),
        }),
      ...(without.models.length > 0 && {
        profiles: await ablateProfiles({
          ...{ ...sparse, every, withProfiles: judged.models, without: without.models },
          onProgress: tell,
        }),
      }),
    }
  } finally {
    await judged.close()
    await without.close()
  }
}
