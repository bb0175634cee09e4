import { aheadHours } from '@harbinger/shared/forecast/slow/slow-forecast'
import { addSample, emptySeries, minuteMs } from '@harbinger/shared/window/series'
import { expect, test } from 'vitest'
import { openSlowForecasts } from '../forecast/slow-forecasts.ts'
import { timeToFull } from '@harbinger/shared/forecast/slow/time-to-full'
import { toForecastAnswer } from './forecast-answer.ts'
import { isExpected, mostPressing } from './threshold-times.ts'

const begin = Date.parse('2026-03-02T00:07:00Z')
const end = begin + 24 * 60 * minuteMs

test('disk is answered days ahead, and its time to threshold goes as far', () => {
  const series = emptySeries()
  for (let at = begin; at < end; at += minuteMs) {
    addSample(series, at, { disk_usage_pct: 60 + (0.25 * (at - begin)) / 3_600_000 })
  }
  const disk = openSlowForecasts()(series, end).disk_usage_pct!
  const forecast = {
    ...{ server: 'db01', issuedAt: end, windowEnd: end, abstained: null },
    metrics: { disk_usage_pct: disk },
  }
  const time = timeToFull(disk, 90)
  const { metrics } = toForecastAnswer(forecast, { disk_usage_pct: time })
  const { daysAhead } = metrics.disk_usage_pct!
  // A day of history tells four.
  expect(daysAhead!.hours).toEqual(aheadHours.filter((hours) => hours <= 96))
  expect(daysAhead!.reason).toBe('24 h of history tell 4 d ahead')
  const median = daysAhead!.quantiles['0.5']!
  expect(median).toHaveLength(daysAhead!.hours.length)
  expect(Math.abs(median[daysAhead!.hours.indexOf(24)]! - 72)).toBeLessThan(1)
  expect(time.withinMinutes).toBe(96 * 60)
  // 66 + 0.25 h reaches 90 after 96 h.
  expect(time.medianMinutes === null || time.medianMinutes > 80 * 60).toBe(true)
  const soon = timeToFull(disk, 75)
  expect(Math.abs(soon.medianMinutes! / 60 - 36)).toBeLessThan(6)
  expect(mostPressing({ disk_usage_pct: soon })).toMatchObject({ metric: 'disk_usage_pct' })
})

test('a small chance days ahead presses nobody', () => {
  const time = { threshold: 90, probability: 0.2, medianMinutes: null, withinMinutes: 14 * 1440 }
  expect(isExpected({ ...time, earliestMinutes: 3000 })).toBe(false)
  expect(isExpected({ ...time, earliestMinutes: 300 })).toBe(true)
  expect(mostPressing({ disk_usage_pct: { ...time, earliestMinutes: 3000 } })).toBeNull()
})
