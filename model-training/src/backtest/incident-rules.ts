import { criticalLimit, limitedMetrics } from '@harbinger/shared/limits'
import type { MetricName } from '@harbinger/shared/metrics'
import type { Profile } from '@harbinger/shared/profiles'
import type { ServerHistory } from '../history/fleet-history.ts'

/** An operator's own limit: for one profile, or for all servers. */
export type IncidentRule = {
  readonly metric: MetricName
  readonly limit: number
  readonly profile?: Profile | undefined
}

/** Where a metric is in an incident; undefined on servers that the rule does not speak of. */
export type Rule = {
  readonly name: string
  readonly metric: MetricName
  readonly limitOf: (server: ServerHistory) => number | undefined
}

/** The limits of the shared table: what the hub alerts on. A server without a profile is generic, as in the hub. */
export const criticalRules: readonly Rule[] = limitedMetrics.map((metric) => ({
  name: `${metric} critical`,
  metric,
  limitOf: ({ profile, cores }) => criticalLimit(profile ?? 'generic', metric, { cores }),
}))

export const toRule = ({ metric, limit, profile }: IncidentRule): Rule => ({
  name: `${metric} > ${limit}${profile ? ` (${profile})` : ''}`,
  metric,
  limitOf: (server) => (profile && server.profile !== profile ? undefined : limit),
})
