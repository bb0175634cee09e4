import type { FleetHistory } from '../history/fleet-history.ts'
import { loadHistory } from '../history/load-history.ts'
import { readModelFolder } from '../model/model-folder.ts'
import { graphsFolder } from '../model/shipped.ts'
import { openInference } from '../onnx/inference.ts'
import { backtest } from './backtest.ts'
import type { IncidentRule } from './incidents.ts'
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

/** Judges a model and all baselines on a history. */
export async function runBacktest(options: RunBacktestOptions): Promise<BacktestReport> {
  const { onProgress, onWarning, threads = 2, graphs = graphsFolder } = options
  const history =
    typeof options.history === 'string'
      ? await loadHistory(options.history, {
          onWarning,
          onProgress: ({ share }) => onProgress?.({ stage: 'reading', share }),
        })
      : options.history
  const found = options.model === undefined ? undefined : readModelFolder(options.model, { graphs })
  if (found && 'refused' in found) throw new Error(found.refused)
  const inference = found && (await openInference(found.folder, { threads }))
  try {
    return await backtest({
      ...options,
      history,
      model: found && inference && { id: found.manifest.id, inference },
      onProgress: (progress) => onProgress?.({ stage: 'judging', ...progress }),
    })
  } finally {
    await inference?.close()
  }
}
