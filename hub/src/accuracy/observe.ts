import { contenderOf } from '@harbinger/shared/forecast/calibration'
import type { Observation } from '@harbinger/shared/forecast/calibrator'
import type { ChanceObservation } from '@harbinger/shared/forecast/chance-curves'
import { isPast } from '@harbinger/shared/limits'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { minuteMs } from '@harbinger/shared/window/series'
import { stepMinutes } from '@harbinger/shared/window/window-batch'
import { loggedLeads, loggedLevels } from '../storage/forecast-log-body.ts'
import { parts } from './matured.ts'
import type { Scored } from './scorer.ts'

const levels = loggedLevels.length

export type Matured = Scored & {
  /** When the last reading of its truth was in (ms). */
  readonly at: number
}

/** A round of scoring in the order in which its truth matured, of what was served. */
export const asMatured = (scored: readonly Scored[]): readonly Matured[] =>
  scored
    .filter(({ row }) => row.served)
    .map((one) => ({ ...one, at: one.row.windowEnd + parts[one.score.part]!.to * minuteMs }))
    .sort((a, b) => a.at - b.at)

/** What the calibrator learns from a round of scoring: the bands as they were served and what came, as it matured. */
export function* observationsOf(matured: readonly Matured[]): Generator<Observation> {
  for (const { score, row, at: maturedAt } of matured) {
    const { part, truth } = score
    const lead = loggedLeads[part]
    const peak = part - loggedLeads.length
    for (const [v, logged] of row.metrics.entries()) {
      const contender = logged && contenderOf(logged.source)
      if (!contender || !Number.isFinite(truth[v])) continue
      const band = lead === undefined ? logged.peaks : logged.steps
      const from = levels * (lead === undefined ? peak : part)
      yield {
        ...{ contender, profile: row.profile, v, truth: truth[v]!, maturedAt },
        of: lead === undefined ? { peak } : { step: lead / stepMinutes },
        low: band[from]!,
        high: band[from + levels - 1]!,
      }
    }
  }
}

/** The same of the chances of reaching each server's own thresholds. */
export function* chancesOf(matured: readonly Matured[]): Generator<ChanceObservation> {
  for (const { score, row, at: maturedAt } of matured) {
    const peak = score.part - loggedLeads.length
    if (peak < 0) continue
    for (const [v, logged] of row.metrics.entries()) {
      const contender = logged && contenderOf(logged.source)
      const worst = score.truth[v]!
      if (!contender || !Number.isFinite(worst)) continue
      for (const [level, threshold] of logged.ownThresholds.entries()) {
        if (Number.isNaN(threshold)) continue
        const chance = logged.ownChances[peak * logged.ownThresholds.length + level]!
        const came = isPast(networkMetricNames[v]!, worst, threshold)
        yield { contender, v, chance, came, maturedAt }
      }
    }
  }
}
