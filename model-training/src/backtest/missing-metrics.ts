import { metricNames } from '@harbinger/shared/metrics'
import { baselineNames } from '@harbinger/shared/forecast/baseline-names'
import type { FleetHistory } from '../history/fleet-history.ts'
import { collect, type Model, originsOf } from './collect.ts'
import { keepMetrics } from './restrict.ts'
import { sliceOf } from './slice.ts'

export type MissingMetricsOptions = {
  readonly history: FleetHistory
  readonly from: number
  readonly to: number
  /** Minutes between origins. */
  readonly every: number
  readonly model: Model
  /** Each draws other metrics for each server; default 1 and 2. */
  readonly seeds?: readonly number[]
  readonly onProgress?: ((share: number) => void) | undefined
  readonly clock: () => number
}

export type MissingMetricsCell = {
  /** Metrics that each server shows, of those the history has. */
  readonly metrics: number
  readonly seed: number
  readonly windows: number
  readonly model: number | null
  readonly bestBaseline: string | null
  /** WQL of the model over that of the best baseline, which sees the same metrics. */
  readonly ratio: number | null
  readonly ok: boolean
}

/** The most that a missing metric may cost against the best baseline. */
export const mostRatio = 1.05
const counts = [1, 4, 7, metricNames.length] as const

/** How the model does where servers lack metrics: 1, 4, 7 or all 14 of them are there, others on each server. */
export async function judgeMissing(
  options: MissingMetricsOptions,
): Promise<readonly MissingMetricsCell[]> {
  const { history, from, to, every, model, seeds = [1, 2], clock } = options
  const origins = originsOf(history, { from, to, every })
  const present = counts.filter((count) => count <= history.metrics.length)
  const cells = present.flatMap((metrics) =>
    // There is one way to show them all.
    (metrics === history.metrics.length ? seeds.slice(0, 1) : seeds).map((seed) => {
      return { metrics, seed }
    }),
  )
  const found: MissingMetricsCell[] = []
  for (const [done, { metrics, seed }] of cells.entries()) {
    const collected = await collect({
      ...{ models: [model], baselines: baselineNames, origins, clock, shortenEvery: 0 },
      history: keepMetrics(history, metrics, seed),
      onProgress: ({ share }) => options.onProgress?.((done + share) / cells.length),
    })
    const { model: wql, ratio, bestBaseline } = sliceOf(collected)
    found.push({
      ...{ metrics, seed, windows: collected.windows, model: wql, bestBaseline, ratio },
      ok: ratio !== null && ratio <= mostRatio,
    })
  }
  return found
}
