import type { ServerSummary, TimeToThreshold } from '@harbinger/shared/api'
import { timeToFull } from '@harbinger/shared/forecast/slow/time-to-full'
import type { MetricName } from '@harbinger/shared/metrics'
import { minuteMs, type Series } from '@harbinger/shared/window/series'
import { maxSilenceMinutes } from '@harbinger/shared/window/window'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import { assessRisk, type Risk } from '../risk/assess-risk.ts'
import { incidentChance, type ServerInFleet } from '../risk/environment.ts'
import { breaches, criticalLimit, limitedMetrics, worsens } from '@harbinger/shared/limits'
import { predictedPeaks } from '../risk/predicted-peaks.ts'
import { serverState } from '../risk/state.ts'
import { timeToThreshold } from '../risk/time-to-threshold.ts'
import { intervalInForce } from '../storage/interval-in-force.ts'
import type { Server } from '../storage/server-store.ts'
import { hourlyRise } from '../window/trend.ts'
import { type RowFacts, toSummary } from './rows.ts'

/** What the hub thinks of a server now. */
export type Assessed = {
  readonly facts: RowFacts
  readonly risk: Risk
  readonly row: ServerSummary
  readonly inFleet: ServerInFleet
  /** When it last was in `critical_issue`. */
  readonly criticalAt: number | undefined
}

/** Older than this, a forecast no longer speaks of the next half hour. */
const freshMs = 15 * minuteMs

/** Risk, state and row of one server from its newest readings and its forecast. */
export function assessServer({
  server,
  now,
  series,
  forecast,
  before,
  conflict,
}: {
  readonly server: Server
  readonly now: number
  readonly series: Series
  readonly forecast: ServerForecast | undefined
  readonly before: Assessed | undefined
  readonly conflict: boolean
}): Assessed {
  const { profile, cores, latest } = server
  const isFresh = latest !== undefined && now - latest.at <= maxSilenceMinutes * minuteMs
  const readings = isFresh ? latest.readings : {}
  const serves = forecast && forecast.abstained === null && now - forecast.windowEnd <= freshMs
  const metrics = serves ? forecast.metrics : {}
  const risk = assessRisk({
    profile,
    now: readings,
    cores,
    predicted: predictedPeaks(metrics),
    closeWaitTrend: trend(series, now),
  })
  const breached = breaches(profile, readings, { cores })
  const local = new Date(now)
  const state = serverState({
    ...{ profile, now: readings, cores, severity: risk.severity, inMaintenance: false },
    ...{ status: server.status, intervalMs: intervalInForce(server, now).pauseMs },
    silentMs: server.lastArrivedAt < 0 ? Infinity : now - server.lastArrivedAt,
    local: { hour: local.getHours() + local.getMinutes() / 60, weekday: local.getDay() },
    sinceCriticalMs: before?.criticalAt === undefined ? undefined : now - before.criticalAt,
  })
  const facts: RowFacts = {
    now,
    server,
    state,
    conflict,
    latest,
    forecast,
    risk,
    timeToThreshold: times(server, metrics),
  }
  return {
    facts,
    risk,
    row: toSummary(facts),
    inFleet: {
      name: server.name,
      severity: risk.severity,
      score: risk.score,
      breaches: breached.length,
      chance: incidentChance(metrics, { profile, cores, breached }),
    },
    criticalAt: state === 'critical_issue' ? now : before?.criticalAt,
  }
}

function times({ profile, cores }: Server, metrics: ServerForecast['metrics']) {
  const all: { [name in MetricName]?: TimeToThreshold } = {}
  for (const metric of limitedMetrics) {
    const forecast = metrics[metric]
    const threshold = criticalLimit(profile, metric, { cores })
    if (!forecast || threshold === undefined) continue
    const { daysAhead } = forecast
    all[metric] =
      daysAhead && daysAhead.hours.length > 0
        ? timeToFull({ ...forecast, daysAhead }, threshold)
        : timeToThreshold(forecast, { threshold, worsens: worsens(metric) })
  }
  return all
}

function trend(series: Series, now: number) {
  const back = hourlyRise(series, 'back_close_wait', now)
  const front = hourlyRise(series, 'front_close_wait', now)
  return {
    ...(back === undefined ? {} : { back_close_wait: back }),
    ...(front === undefined ? {} : { front_close_wait: front }),
  }
}
