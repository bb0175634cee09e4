import type { Forecast } from '@harbinger/shared/api'
import { metricNames } from '@harbinger/shared/metrics'
import { peakMinutes, Q, quantileLevels } from '@harbinger/shared/forecast/quantiles'
import { horizonSteps, stepMinutes } from '@harbinger/shared/window/window-batch'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import { rounded } from './rows.ts'
import type { TimesToThreshold } from './threshold-times.ts'

const instant = (at: number): string => new Date(at).toISOString()

/** A forecast as the API words it; a server that has none yet is told apart from one that abstains by its reason. */
export function toForecastAnswer(
  forecast: ServerForecast,
  timeToThreshold: TimesToThreshold,
): Forecast {
  const metrics: Forecast['metrics'] = {}
  const peaks: Forecast['peaks'] = Object.fromEntries(peakMinutes.map((m) => [String(m), {}]))
  for (const name of metricNames) {
    const made = forecast.metrics[name]
    if (!made) continue
    const { source, sourceReason, quantiles, daysAhead: days } = made
    metrics[name] = {
      ...{ source, sourceReason, quantiles: columns(quantiles, horizonSteps) },
      ...(days && {
        daysAhead: {
          hours: [...days.hours],
          reason: days.reason,
          quantiles: columns(days.quantiles, days.hours.length),
        },
      }),
    }
    peakMinutes.forEach((minutes, p) => {
      peaks[String(minutes)]![name] = levels((q) => rounded(made.peaks[p * Q + q]!))
    })
  }
  return {
    server: forecast.server,
    issuedAt: instant(forecast.issuedAt),
    windowEnd: instant(forecast.windowEnd),
    stepMinutes,
    horizonMinutes: horizonSteps * stepMinutes,
    abstained: forecast.abstained,
    metrics,
    peaks,
    timeToThreshold,
  }
}

const columns = (quantiles: Float32Array, steps: number): { [level: string]: number[] } =>
  levels((q) => Array.from({ length: steps }, (_, step) => rounded(quantiles[step * Q + q]!)))

/** Keys are the levels as written: "0.02" … "0.98". */
const levels = <Value>(of: (q: number) => Value): { [level: string]: Value } =>
  Object.fromEntries(quantileLevels.map((level, q) => [String(level), of(q)]))

/** For a server whose first forecast is still to come, or that has none for another reason. */
export const noForecast = (
  server: string,
  now: number,
  abstained = 'no forecast has been made yet',
): Forecast =>
  toForecastAnswer(
    {
      server,
      issuedAt: now,
      windowEnd: now,
      abstained,
      metrics: {},
    },
    {},
  )
