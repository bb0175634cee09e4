import { pastErrors } from '@harbinger/shared/forecast/slow/past-errors'
import { hoursOf, slowTrack } from '@harbinger/shared/forecast/slow/slow-track'
import { trackForecast } from '@harbinger/shared/forecast/slow/slow-forecast'
import { addSample, emptySeries, minuteMs } from '@harbinger/shared/window/series'
import { expect, test } from 'vitest'
import { openSlowForecasts } from './slow-forecasts.ts'

const begin = Date.parse('2026-03-02T00:07:00Z')

test('what was learnt of a series is kept for a while, and learnt again when there is twice as much to learn from', () => {
  const series = emptySeries()
  const learn = (from: number, to: number) => {
    for (let m = from; m < to; m++) {
      const readings = { disk_usage_pct: 50 + 0.01 * m, uptime_days: 5 + m / 1440 }
      addSample(series, begin + m * minuteMs, readings)
    }
    return begin + to * minuteMs
  }
  const slow = openSlowForecasts()
  const first = learn(0, 300)
  const track = slowTrack(series, 'disk_usage_pct', first)
  const made = slow(series, first)
  expect(made.disk_usage_pct).toEqual(trackForecast(track, hoursOf(first), pastErrors(track, 8)))
  expect(made.uptime_days!.source).toBe('baseline:arithmetic')

  // A minute later what was learnt in haste is learnt from every instant.
  const next = learn(300, 301)
  const early = pastErrors(slowTrack(series, 'disk_usage_pct', next))
  expect(early).not.toEqual(pastErrors(track, 8))
  slow(series, next)
  const soon = learn(301, 330)
  const then = slowTrack(series, 'disk_usage_pct', soon)
  expect(slow(series, soon).disk_usage_pct).toEqual(trackForecast(then, hoursOf(soon), early))

  const later = learn(330, 620)
  const now = slowTrack(series, 'disk_usage_pct', later)
  expect(slow(series, later).disk_usage_pct).toEqual(trackForecast(now, hoursOf(later)))
  expect(slow(emptySeries(), later)).toEqual({})
})
