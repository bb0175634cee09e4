import type { Episode } from '@harbinger/shared/explanation'
import { criticalLimit, isPast, limitedMetrics, worsens } from '@harbinger/shared/limits'
import { metricIndex, type MetricName } from '@harbinger/shared/metrics'
import type { Server } from '../../storage/server-store.ts'
import { duration } from '../../view/sentence.ts'
import { amount, label, toShown } from '../shown.ts'
import { followedHours } from './features.ts'
import type { Quarter } from './hour-ring.ts'

const quartersPerHour = 4
const minutesPerQuarter = 15

export type Followed = Episode['followed']

/** What was measured in the 8 h after an episode, by means of 15 minutes: the worst of each metric, limits reached. */
export function whatFollowed(
  { profile, cores }: Pick<Server, 'profile' | 'cores'>,
  /** Oldest first; undefined where nobody measured. */
  quarters: readonly (Quarter | undefined)[],
): Followed {
  const breached: Followed['breached'] = []
  const peaks: { [name in MetricName]?: number } = {}
  for (const metric of limitedMetrics) {
    const column = metricIndex[metric]
    const limit = criticalLimit(profile, metric, { cores })
    let worst: number | undefined
    let first: number | undefined
    quarters.forEach((quarter, i) => {
      if (!quarter || quarter.known[column] === 0) return
      const value = quarter.mean[column]!
      if (worst === undefined || (worsens(metric) === 'down' ? value < worst : value > worst)) {
        worst = value
      }
      if (limit !== undefined && first === undefined && isPast(metric, value, limit)) first = i
    })
    if (worst !== undefined) peaks[metric] = Math.round(worst * 1000) / 1000
    if (first !== undefined) {
      breached.push({ metric, limit: limit!, afterMinutes: first * minutesPerQuarter })
    }
  }
  const measured = quarters.filter((quarter) => quarter?.known.some((n) => n > 0)).length
  breached.sort((a, b) => a.afterMinutes - b.afterMinutes)
  return { hours: measured / quartersPerHour, breached, peaks }
}

/** The same for a person. */
export function followedText({ hours, breached, peaks }: Followed): string {
  if (hours === 0) return 'What followed was not measured.'
  const measured = hours < followedHours ? ` (${duration(hours * 60)} of 8 h were measured)` : ''
  const [first, ...more] = breached
  if (!first) {
    const idle = peaks.cpu_idle_pct
    const memory = peaks.mem_used_pct
    const highs = [
      ...(idle === undefined ? [] : [`CPU used at most ${amount(100 - idle, 'cpu_idle_pct')}`]),
      ...(memory === undefined ? [] : [`Memory at most ${amount(memory, 'mem_used_pct')}`]),
    ].join(', ')
    return `No limit was reached in the 8 h after${measured}${highs ? `: ${highs}` : ''}.`
  }
  const limit = amount(toShown(first.metric, first.limit), first.metric)
  const when = first.afterMinutes === 0 ? 'at once' : `after ${duration(first.afterMinutes)}`
  const others =
    more.length > 0 ? `, then ${more.map(({ metric }) => label(metric)).join(', ')}` : ''
  return `${label(first.metric)} reached its limit of ${limit} ${when}${others}${measured}.`
}
