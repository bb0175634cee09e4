import { fillBaselineQuantiles, rowQuantiles } from '@harbinger/shared/forecast/baselines'
import { breachChance } from '@harbinger/shared/forecast/chance'
import { peakMinutes, Q, quantileLevels } from '@harbinger/shared/forecast/quantiles'
import { thresholdLevels, type Thresholds } from '@harbinger/shared/forecast/own-thresholds'
import { type MetricName, networkMetricNames } from '@harbinger/shared/metrics'
import { stepMinutes, V, type WindowBatch } from '@harbinger/shared/window/window-batch'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import { criticalLimit, worsens } from '@harbinger/shared/limits'
import {
  loggedBaselines,
  loggedLeads,
  loggedLevels,
  type LoggedMetric,
  type LoggedMetrics,
} from '../storage/forecast-log-body.ts'
import type { Server } from '../storage/server-store.ts'

const steps = loggedLeads.map((minutes) => minutes / stepMinutes)
const levels = loggedLevels.map((level) => quantileLevels.indexOf(level))
const numbers = rowQuantiles()

type Made = {
  readonly forecast: ServerForecast
  readonly server: Pick<Server, 'profile' | 'cores'>
  /** Where the forecast's window is, for what the baselines say of it. */
  readonly batch: WindowBatch
  readonly row: number
  /** Per network metric: see ownThresholds(). Absent: of what does not serve, no chance is learnt from. */
  readonly thresholds?: Thresholds
}

/** What is logged of a forecast: a few steps and levels of it, and what the baselines say of the same steps. */
export function toLogged({ forecast, server, batch, row, thresholds }: Made): LoggedMetrics {
  const baselines = networkMetricNames.map(() => [] as Float32Array[])
  for (const name of loggedBaselines) {
    fillBaselineQuantiles(numbers, { batch, row }, name)
    for (let v = 0; v < V; v++) {
      baselines[v]!.push(picked(numbers.quantiles, steps, (f) => (f * V + v) * Q))
    }
  }
  return networkMetricNames.map((name, v): LoggedMetric | undefined => {
    const made = forecast.metrics[name]
    if (!made) return undefined
    const limit = criticalLimit(server.profile, name, server)
    return {
      source: made.source,
      steps: picked(made.quantiles, steps, (f) => f * Q),
      peaks: picked(made.peaks, [...peakMinutes.keys()], (p) => p * Q),
      breach: Float32Array.from(peakMinutes, (_, p) =>
        limit === undefined
          ? NaN
          : breachChance(made.peaks, {
              ...{ threshold: limit, worsens: worsens(name), offset: p * Q, curve: made.chances },
            }),
      ),
      limit: limit ?? NaN,
      ...ownChances(name, { peaks: made.peaks, thresholds: thresholds?.[v] ?? [] }),
      baselines: baselines[v]!,
    }
  })
}

function ownChances(
  metric: MetricName,
  { peaks, thresholds }: { readonly peaks: Float32Array; readonly thresholds: readonly number[] },
): Pick<LoggedMetric, 'ownThresholds' | 'ownChances'> {
  const own = thresholdLevels.map((_, level) => thresholds[level] ?? NaN)
  const chance = (p: number, threshold: number): number =>
    Number.isNaN(threshold)
      ? NaN
      : breachChance(peaks, { threshold, worsens: worsens(metric), offset: p * Q })
  return {
    ownThresholds: Float32Array.from(own),
    ownChances: Float32Array.from(
      peakMinutes.flatMap((_, p) => own.map((threshold) => chance(p, threshold))),
    ),
  }
}

function picked(
  from: Float32Array,
  places: readonly number[],
  start: (place: number) => number,
): Float32Array {
  return Float32Array.from(
    places.flatMap((place) => levels.map((level) => from[start(place) + level]!)),
  )
}
