import { describe, expect, test } from 'vitest'
import { addSample, closeQuarter, emptySeries, minuteMs, type Series } from '../../window/series.ts'
import { medianIndex, Q } from '../quantiles.ts'
import { aheadHours, diskForecast, type SlowForecast } from './slow-forecast.ts'
import { timeToFull } from './time-to-full.ts'
import { uptimeForecast } from './uptime-forecast.ts'

const end = Date.parse('2026-03-20T00:07:00Z')
const hourMs = 60 * minuteMs

/** Readings every 5 minutes over the last `hours`; `value` of the hours before the end (negative). */
function series(hours: number, value: (hour: number) => number, metric = 'disk_usage_pct'): Series {
  const made = emptySeries({ minutes: hours * 60 + 30, quarters: hours * 4 + 4 })
  for (let at = end - hours * hourMs; at < end; at += 5 * minuteMs) {
    const reading = value((at - end) / hourMs)
    if (Number.isNaN(reading)) continue
    addSample(made, at, { [metric]: Math.round(reading * 100) / 100 })
  }
  for (let q = Math.floor(made.firstMinute / 15); q <= made.lastQuarter; q++) closeQuarter(made, q)
  return made
}

const median = ({ quantiles }: SlowForecast, step: number) => quantiles[step * Q + medianIndex]!
const day = ({ daysAhead }: SlowForecast, d: number, q: number = medianIndex) =>
  daysAhead.quantiles[aheadHours.indexOf(24 * d) * Q + q]!
/** Small, but not even: quarters differ by a few hundredths. */
const noise = (hour: number) => 0.03 * Math.sin(37 * hour) + 0.02 * Math.sin(11.3 * hour)

describe('disk', () => {
  test('goes on as it went, days ahead', () => {
    const made = diskForecast(
      series(240, (h) => 60 + 0.05 * h + noise(h)),
      end,
    )!
    expect(made.source).toBe('baseline:robust-trend')
    expect(median(made, 31)).toBeCloseTo(60 + 0.05 * 8, 1)
    expect(made.daysAhead).toMatchObject({ hours: aheadHours, reason: null })
    expect(Math.abs(day(made, 7) - (60 + 0.05 * 168))).toBeLessThan(0.6)
    const { medianMinutes, probability } = timeToFull(made, 70)
    expect(Math.abs(medianMinutes! / 60 - 200)).toBeLessThan(16)
    expect(probability).toBeGreaterThan(0.9)
    expect(timeToFull(made, 100)).toMatchObject({ medianMinutes: null, withinMinutes: 14 * 1440 })
  })

  test('a clean-up restarts the level, not the growth', () => {
    const made = diskForecast(
      series(200, (h) => (h < -20 ? 80 : 55) + 0.1 * h + noise(h)),
      end,
    )!
    expect(Math.abs(day(made, 3) - (55 + 7.2))).toBeLessThan(0.8)
    expect(made.sourceReason).toMatch(/a clean-up, 20 h ago/)
  })

  test('a slow clean-up is one too, and its fall no trend while it lasts', () => {
    const during = diskForecast(
      series(200, (h) => 80 + 0.05 * Math.min(h, -3) - (h > -3 ? 2 * (h + 3) : 0) + noise(h)),
      end,
    )!
    expect(median(during, 31)).toBeGreaterThan(72)
  })

  test('a resize restarts the level and takes growth down in proportion', () => {
    const made = diskForecast(
      series(200, (h) => (80 + 0.2 * (h + 30)) * (h < -30 ? 1 : 0.5) + noise(h)),
      end,
    )!
    expect(made.sourceReason).toMatch(/a larger disk, 30 h ago/)
    expect(Math.abs(day(made, 3) - (80 + 0.2 * 102) * 0.5)).toBeLessThan(0.8)
  })

  test('of what goes up and down by the clock, the trend is that over the cycles', () => {
    const saw = (h: number) => 50 + (12 * ((((h + 5) % 24) + 24) % 24)) / 24 + 0.02 * h
    const made = diskForecast(
      series(200, (h) => saw(h) + noise(h)),
      end,
    )!
    expect(made.sourceReason).toMatch(/cleaned about every 24 h/)
    for (const d of [1, 3, 7]) expect(Math.abs(day(made, d) - saw(24 * d))).toBeLessThan(1.2)
    expect(timeToFull(made, 90).probability).toBeLessThan(0.1)
  })

  test('a disk that begins to fill is told by what it does now', () => {
    const made = diskForecast(
      series(200, (h) => 50 + (h > -3 ? 3 * (h + 3) : 0) + noise(h)),
      end,
    )!
    expect(made.sourceReason).toMatch(/begun to change faster/)
    expect(Math.abs(median(made, 31) - (59 + 24))).toBeLessThan(3)
    const { earliestMinutes, medianMinutes } = timeToFull(made, 90)
    expect(medianMinutes! / 60).toBeGreaterThan(8)
    expect(medianMinutes! / 60).toBeLessThan(14)
    expect(earliestMinutes!).toBeLessThan(medianMinutes!)
  })

  test('a gap changes nothing', () => {
    const made = diskForecast(
      series(100, (h) => (h > -60 && h < -20 ? NaN : 50 + 0.1 * h + noise(h))),
      end,
    )!
    expect(Math.abs(median(made, 31) - 50.8)).toBeLessThan(0.3)
  })

  test('says nothing of days from a few hours, and of as many as it can from more', () => {
    const none = diskForecast(
      series(4, () => 50),
      end,
    )!.daysAhead
    expect(none).toMatchObject({ hours: [], reason: 'less than 6 h of history tell no day ahead' })
    const some = diskForecast(
      series(13, () => 50),
      end,
    )!.daysAhead
    expect(some).toMatchObject({
      hours: aheadHours.slice(0, 10),
      reason: '13 h of history tell 2 d ahead',
    })
    expect(diskForecast(emptySeries(), end)).toBeUndefined()
    expect(
      timeToFull(
        diskForecast(
          series(4, () => 50),
          end,
        )!,
        90,
      ),
    ).toEqual({
      ...{ threshold: 90, withinMinutes: 480, probability: 0 },
      ...{ earliestMinutes: null, medianMinutes: null },
    })
  })

  test('knows nothing of what comes after now', () => {
    const known = series(100, (h) => 50 + 0.1 * h + noise(h))
    const before = diskForecast(known, end - 30 * hourMs)
    const changed = series(100, (h) => (h >= -30 ? 5 : 50 + 0.1 * h + noise(h)))
    expect(diskForecast(changed, end - 30 * hourMs)).toEqual(before)
  })

  test('quantiles rise and stay within what a disk can be', () => {
    const { quantiles, daysAhead } = diskForecast(
      series(60, (h) => 98 + (0.5 * h) / 10),
      end,
    )!
    for (const values of [quantiles, daysAhead.quantiles]) {
      expect(Math.max(...values)).toBeLessThanOrEqual(100)
      values.forEach((value, i) => i % Q && expect(value).toBeGreaterThanOrEqual(values[i - 1]!))
    }
  })
})

describe('uptime', () => {
  const uptime = (value: (hour: number) => number) =>
    uptimeForecast(series(200, value, 'uptime_days'), end)!

  test('is arithmetic', () => {
    const made = uptime((h) => 10 + h / 24)
    expect(made.source).toBe('baseline:arithmetic')
    expect(median(made, 31)).toBeCloseTo(10 + 472.5 / 1440, 2)
    expect(day(made, 14)).toBeCloseTo(24, 2)
    expect(uptimeForecast(emptySeries(), end)).toBeUndefined()
  })

  test('a reboot restarts it, and the next is no surprise', () => {
    const made = uptime((h) => (h < -30 ? 10 + (h + 30) / 24 : (h + 30) / 24))
    expect(median(made, 31)).toBeCloseTo((30 + 7.875) / 24, 2)
    expect(made.sourceReason).toMatch(/1 was seen, so a restart within a day is 6 % likely/)
    // Within 14 days it is 59 % likely: the median is the time since.
    expect(day(made, 14)).toBeLessThan(14)
    expect(day(made, 14, Q - 1)).toBeCloseTo(14 + 30 / 24, 1)
  })
})
