import { criticalLimit, limitedMetrics } from '@harbinger/shared/limits'
import { type MetricName, networkMetricNames } from '@harbinger/shared/metrics'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import type { Server } from '../storage/server-store.ts'
import type { Assessed } from '../view/assess-server.ts'
import type { NetworkMetric } from './occlude.ts'
import { label, peakOf, toShown } from './shown.ts'

export type Target = { readonly metric: MetricName; readonly why: string }

export const isNetworkMetric = (metric: MetricName): metric is NetworkMetric =>
  (networkMetricNames as readonly MetricName[]).includes(metric)

/** The forecast worth explaining: the one asked for, else that of the first limit, else the one nearest to its limit. */
export function chooseTarget({
  asked,
  forecast,
  assessed,
  server,
}: {
  readonly asked: MetricName | undefined
  readonly forecast: ServerForecast
  readonly assessed: Assessed
  readonly server: Pick<Server, 'profile' | 'cores'>
}): Target | undefined {
  if (asked) return forecast.metrics[asked] && { metric: asked, why: 'asked for' }
  const first = assessed.row.timeToThreshold
  if (first) {
    return { metric: first.metric, why: `${label(first.metric)} is what may reach its limit first` }
  }
  let nearest: { metric: MetricName; share: number } | undefined
  for (const metric of limitedMetrics) {
    const made = forecast.metrics[metric]
    const limit = criticalLimit(server.profile, metric, server)
    if (!made || limit === undefined || !isNetworkMetric(metric)) continue
    const share = peakOf(metric, made).pessimistic / toShown(metric, limit)
    if (!nearest || share > nearest.share) nearest = { metric, share }
  }
  return (
    nearest && {
      metric: nearest.metric,
      why: `nothing is expected to reach its limit; ${label(nearest.metric)} comes nearest to it`,
    }
  )
}
