import type { FleetHistory } from '../history/fleet-history.ts'
import { loadHistory } from '../history/load-history.ts'
import { type ModelFolder, readModelFolder } from '../model/model-folder.ts'
import { graphsFolder } from '../model/shipped.ts'
import { openInference } from '../onnx/inference.ts'
import { backtest } from './backtest.ts'
import type { IncidentRule } from './incident-rules.ts'
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
  const folders = options.model === undefined ? [] : [options.model, ...(options.otherSeeds ?? [])]
  const found = folders.map((folder) => {
    const read = readModelFolder(folder, { graphs })
    if ('refused' in read) throw new Error(read.refused)
    return read
  })
  const models = await Promise.all(
    found.map(async ({ folder, manifest }) => {
      return { id: manifest.id, inference: await openInference(folder, { threads }) }
    }),
  )
  const [model, ...otherSeeds] = models
  try {
    return await backtest({
      ...{ ...options, history, model, otherSeeds },
      learntUntil: found[0] && learntUntil(found[0], history),
      onProgress: (progress) => onProgress?.({ stage: 'judging', ...progress }),
    })
  } finally {
    for (const { inference } of models) await inference.close()
  }
}

/** Until when (ms) the model learnt from this history, by its name; undefined when it did not. */
function learntUntil({ manifest }: ModelFolder, history: FleetHistory): number | undefined {
  const spans = manifest.trainedOn.filter(({ name }) => name === history.name)
  return spans.length > 0 ? Math.max(...spans.map(({ to }) => Date.parse(to))) : undefined
}
