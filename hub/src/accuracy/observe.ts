import type { Observation } from '@harbinger/shared/forecast/calibrator'
import { contenderNames, type ContenderName } from '@harbinger/shared/model'
import { minuteMs } from '@harbinger/shared/window/series'
import { stepMinutes } from '@harbinger/shared/window/window-batch'
import { loggedLeads, loggedLevels } from '../storage/forecast-log-body.ts'
import { parts } from './matured.ts'
import type { Scored } from './scorer.ts'

const levels = loggedLevels.length

/** What the calibrator learns from a round of scoring: the bands as they were served and what came, as it matured. */
export function observationsOf(scored: readonly Scored[]): Observation[] {
  const observations: Observation[] = []
  for (const { score, row } of scored) {
    if (!row.served) continue
    const { part, truth } = score
    const lead = loggedLeads[part]
    const peak = part - loggedLeads.length
    const maturedAt = row.windowEnd + parts[part]!.to * minuteMs
    row.metrics.forEach((logged, v) => {
      const contender = logged && contenderOf(logged.source)
      if (!contender || !Number.isFinite(truth[v])) return
      const band = lead === undefined ? logged.peaks : logged.steps
      const from = levels * (lead === undefined ? peak : part)
      observations.push({
        ...{ contender, profile: row.profile, v, truth: truth[v]!, maturedAt },
        of: lead === undefined ? { peak } : { step: lead / stepMinutes },
        low: band[from]!,
        high: band[from + levels - 1]!,
      })
    })
  }
  return observations.sort((a, b) => a.maturedAt - b.maturedAt)
}

/** Undefined of what no calibration knows, such as the short-history form of the baseline. */
function contenderOf(source: string): ContenderName | undefined {
  if (source.startsWith('model:')) return 'model'
  return contenderNames.find((name) => source === `baseline:${name}`)
}
