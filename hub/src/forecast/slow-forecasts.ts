import { type PastErrors, pastErrors } from '@harbinger/shared/forecast/slow/past-errors'
import { type SlowForecast, trackForecast } from '@harbinger/shared/forecast/slow/slow-forecast'
import { hoursOf, slowTrack } from '@harbinger/shared/forecast/slow/slow-track'
import { uptimeForecast } from '@harbinger/shared/forecast/slow/uptime-forecast'
import type { Series } from '@harbinger/shared/window/series'

/** What disk and uptime come to, by methods of their own; absent where it was not measured. */
export type SlowForecasts = {
  readonly disk_usage_pct?: SlowForecast
  readonly uptime_days?: SlowForecast
}

/** Past errors are looked at again after so many minutes, … */
const keptMinutes = 45
/** … spread over so many more, so that a fleet's do not all fall due in one cycle. */
const spreadMinutes = 30
/** Learnt early, little is known: then again once there is twice as much history. */
const early = 2
/**
 * A hub that starts learns of its whole fleet before its first forecast is out: from fewer past instants, a third of the
 * work, and from all of them within half an hour.
 */
const firstOrigins = 8

type Kept = { readonly errors: PastErrors; readonly points: number; readonly until: number }

/** Forecasts slow metrics and keeps what was learnt of each series: that costs more than the forecast itself. */
export function openSlowForecasts() {
  const kept = new WeakMap<Series, Kept>()
  let turn = 0
  return (series: Series, now: number): SlowForecasts => {
    const track = slowTrack(series, 'disk_usage_pct', now)
    const points = track.hours.length
    let known = kept.get(series)
    if (points > 0 && (!known || now >= known.until || points >= early * known.points)) {
      const isFirst = known === undefined
      const errors = isFirst ? pastErrors(track, firstOrigins) : pastErrors(track)
      const spread = turn++ % spreadMinutes
      const minutes = isFirst ? 1 + spread : keptMinutes + spread
      known = { errors, points, until: now + minutes * 60_000 }
      kept.set(series, known)
    }
    const disk = known && trackForecast(track, hoursOf(now), known.errors)
    const uptime = uptimeForecast(series, now)
    return { ...(disk && { disk_usage_pct: disk }), ...(uptime && { uptime_days: uptime }) }
  }
}
