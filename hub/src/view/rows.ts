import type { ServerDetail, ServerSummary } from '@harbinger/shared/api'
import { type MetricName, metricNames } from '@harbinger/shared/metrics'
import { medianIndex, Q } from '@harbinger/shared/forecast/quantiles'
import { maxSilenceMinutes } from '@harbinger/shared/window/window'
import { minuteMs } from '@harbinger/shared/window/series'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import type { Presence } from '../risk/presence.ts'
import type { Risk } from '../risk/assess-risk.ts'
import { stepAt } from './forecast-steps.ts'
import { serverSentence } from './sentence.ts'
import { fromNow, mostPressing, type Outlook } from './threshold-times.ts'

/** Everything a row is made of; what is undefined is not known, and is shown so. */
export type RowFacts = Outlook & {
  readonly server: Pick<ServerSummary, 'name' | 'profile' | 'profileSource' | 'simulated'> & {
    readonly tags: readonly string[]
    readonly cores: number | undefined
  }
  readonly state: ServerSummary['state']
  readonly presence: Presence
  readonly conflict: boolean
  readonly risk: Pick<Risk, 'score' | 'now' | 'predicted' | 'severity'> | undefined
}

/** Older readings are no longer "now". */
const maxAgeMs = maxSilenceMinutes * minuteMs

/** Three decimals: below what any of the metrics can resolve, and half the bytes. */
export const rounded = (value: number): number => Math.round(value * 1000) / 1000

/** One row of the fleet. */
export function toSummary(facts: RowFacts): ServerSummary {
  const { now, server, latest, forecast, risk, presence } = facts
  const isOffline = presence.state === 'offline'
  const isOfNow = latest !== undefined && now - latest.at <= maxAgeMs && !isOffline
  const readings = isOfNow ? latest.readings : {}
  const old = isOfNow ? {} : (latest?.readings ?? {})
  const metrics: ServerSummary['metrics'] = {}
  for (const name of metricNames) {
    const value = readings[name]
    const later = in30Minutes(forecast, name, now)
    const last = old[name]
    if (value === undefined && later === null && last === undefined) continue
    metrics[name] = {
      now: value === undefined ? null : rounded(value),
      in30Minutes: later,
      ...(last !== undefined && { last: rounded(last) }),
    }
  }
  const idle = metrics.cpu_idle_pct
  return {
    name: server.name,
    profile: server.profile,
    profileSource: server.profileSource,
    simulated: server.simulated,
    tags: [...server.tags],
    state: facts.state,
    presence: toPresence(presence),
    severity: risk?.severity ?? 'unknown',
    risk: score(risk?.score),
    riskNow: score(risk?.now),
    riskPredicted: score(risk?.predicted),
    cpuUsed: used(idle?.now),
    cores: server.cores ?? null,
    metrics,
    cpuUsedIn30Minutes: used(idle?.in30Minutes),
    timeToThreshold: mostPressing(fromNow(facts)),
    lastSeen: latest ? new Date(latest.at).toISOString() : null,
    source: forecast ? sourceOf(forecast) : null,
    abstained: isOffline
      ? offlineAbstains
      : forecast
        ? forecast.abstained
        : 'no forecast has been made yet',
    conflict: facts.conflict,
  }
}

/** Why there is no forecast of a server that is offline: what was forecast of it is no longer of now. */
export const offlineAbstains = 'offline: nothing is forecast until it is heard again'

const toPresence = ({ state, why, since }: Presence): ServerSummary['presence'] => ({
  ...{ state, why },
  since: since === null ? null : new Date(since).toISOString(),
})

const score = (points: number | null | undefined): number | null =>
  points === null || points === undefined ? null : Math.round(points * 10) / 10

const used = (idle: number | null | undefined): number | null =>
  idle === null || idle === undefined ? null : rounded(100 - idle)

/** The median of the step that holds the instant 30 minutes after `now`, however old the forecast is. */
function in30Minutes(
  forecast: ServerForecast | undefined,
  name: MetricName,
  now: number,
): number | null {
  const quantiles = forecast?.metrics[name]?.quantiles
  if (!forecast || !quantiles) return null
  const step = stepAt(forecast.windowEnd, now + 30 * minuteMs)
  return step === undefined ? null : rounded(quantiles[step * Q + medianIndex]!)
}

/** The model where it made any of the numbers, else what made most of them. */
function sourceOf({ metrics }: ServerForecast): string | null {
  const counts = new Map<string, number>()
  for (const { source } of Object.values(metrics)) {
    if (source.startsWith('model:')) return source
    counts.set(source, (counts.get(source) ?? 0) + 1)
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
}

export type DetailFacts = RowFacts &
  Pick<
    ServerDetail,
    'reasons' | 'unknown' | 'limits' | 'inventory' | 'agent' | 'conflictOf' | 'retired'
  >

/** One server's own page. */
export function toDetail(facts: DetailFacts): ServerDetail {
  const { reasons, unknown, limits, inventory, agent, conflictOf, retired } = facts
  const row = toSummary(facts)
  return {
    ...row,
    conflictOf,
    retired,
    sentence: serverSentence(facts),
    reasons: [...reasons],
    unknown: [...unknown],
    limits,
    inventory,
    agent,
  }
}
