import type { Series } from '../../window/series.ts'
import { horizonSteps, stepMinutes } from '../../window/window-batch.ts'
import { peakMinutes, Q, quantileLevels } from '../quantiles.ts'
import { aheadHours, type SlowForecast } from './slow-forecast.ts'
import { hoursOf, newestReading, slowTrack } from './slow-track.ts'

/** A server of which nothing is known is presumed to have been restarted half a time in so many days. */
const presumedRestarts = 0.5
const presumedDays = 15

/** When within its minute a reading was taken is not kept. */
const knownTo = 2 / 1440

/**
 * Uptime passes as time does, unless the server is restarted; how likely that is, its own past says. Undefined when
 * uptime was not measured within the last day.
 */
export function uptimeForecast(series: Series, now: number): SlowForecast | undefined {
  const newest = newestReading(series, 'uptime_days', now)
  if (!newest) return undefined
  const days = newest.value + (hoursOf(now) - newest.hour) / 24
  const { hours, values } = slowTrack(series, 'uptime_days', now)
  let restarts = 0
  // Means of a quarter of an hour in which it restarted are lower too: only the second of two falls counts not.
  for (let i = 1; i < values.length; i++) {
    if (values[i]! >= values[i - 1]!) continue
    restarts++
    while (i + 1 < values.length && values[i + 1]! < values[i]!) i++
  }
  const seenDays = Math.max(days, (hoursOf(now) - (hours[0] ?? hoursOf(now))) / 24)
  const perDay = (restarts + presumedRestarts) / (seenDays + presumedDays)
  return uptimeFrom(days, perDay, restarts)
}

/** The same from an uptime (days) and a rate of restarts (per day). */
export function uptimeFrom(uptime: number, perDay: number, restarts: number): SlowForecast {
  const quantiles = new Float32Array(horizonSteps * Q)
  const peaks = new Float32Array(peakMinutes.length * Q)
  const ahead = new Float32Array(aheadHours.length * Q)
  /** After a restart the uptime is anything up to the time passed; the highest before it, that much and what was. */
  const fill = (out: Float32Array, place: number, after: number, floor: number): void => {
    const chance = 1 - Math.exp(-perDay * after)
    quantileLevels.forEach((level, q) => {
      const value = level < chance ? floor + (after * level) / chance : uptime + after
      out[place * Q + q] = Math.max(floor, value + (level - 0.5) * knownTo)
    })
  }
  for (let f = 0; f < horizonSteps; f++) fill(quantiles, f, ((f + 0.5) * stepMinutes) / 1440, 0)
  peakMinutes.forEach((minutes, p) => fill(peaks, p, minutes / 1440, uptime))
  aheadHours.forEach((hours, place) => fill(ahead, place, hours / 24, 0))
  const often =
    restarts === 0 ? 'none was seen' : `${restarts} ${restarts === 1 ? 'was' : 'were'} seen`
  return {
    source: 'baseline:arithmetic',
    sourceReason: `uptime grows with time unless the server restarts; ${often}, so a restart within a day is ${percent(1 - Math.exp(-perDay))} likely`,
    quantiles,
    peaks,
    daysAhead: { hours: aheadHours, reason: null, quantiles: ahead },
  }
}

const percent = (share: number): string =>
  share < 0.01 ? 'less than 1 %' : `${Math.round(100 * share)} %`
