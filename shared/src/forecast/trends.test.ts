import { describe, expect, test } from 'vitest'
import { addSample, closeQuarter, emptySeries, minuteMs, type Series } from '../window/series.ts'
import { Q } from './quantiles.ts'
import { diskForecast, uptimeForecast } from './trends.ts'

const t0 = Date.UTC(2025, 0, 6)
const hourMs = 60 * minuteMs

function disk(hours: number, read: (hour: number) => number | undefined): Series {
  const series = emptySeries({ minutes: hours * 60, intervalMinutes: 5 })
  for (let at = t0; at < t0 + hours * hourMs; at += 5 * minuteMs) {
    const value = read((at - t0) / hourMs)
    if (value !== undefined)
      addSample(series, at, { disk_usage_pct: value, uptime_days: (at - t0) / (24 * hourMs) })
  }
  for (let q = t0 / minuteMs / 15; q <= series.lastQuarter; q++) closeQuarter(series, q)
  return series
}

const median = (quantiles: Float32Array, step: number): number => quantiles[step * Q + 3]!

describe('the disk', () => {
  test('fills on as it has filled', () => {
    const now = t0 + 72 * hourMs
    const forecast = diskForecast(
      disk(72, (hour) => 40 + 0.25 * hour),
      now,
    )!
    expect(forecast.perDay).toBeCloseTo(6, 1)
    expect(median(forecast.quantiles, 31)).toBeCloseTo(40 + 0.25 * 80, 0)
  })

  test('is not thought to empty itself after a clean-up', () => {
    const now = t0 + 72 * hourMs
    const forecast = diskForecast(
      disk(72, (hour) => (hour < 60 ? 40 + 0.5 * hour : 30 + 0.5 * (hour - 60))),
      now,
    )!
    expect(forecast.perDay).toBeCloseTo(12, 0)
    expect(median(forecast.quantiles, 0)).toBeGreaterThan(35)
  })

  test('that stands still has a narrow forecast, and no chance of its limit', () => {
    const forecast = diskForecast(
      disk(72, () => 55),
      t0 + 72 * hourMs,
    )!
    expect(forecast.quantiles[31 * Q + 6]! - forecast.quantiles[31 * Q]!).toBeLessThan(1)
    expect(forecast.peaks[2 * Q + 6]).toBeLessThan(56)
  })

  test('never passes 100 %', () => {
    const forecast = diskForecast(
      disk(48, (hour) => 52 + hour),
      t0 + 48 * hourMs,
    )!
    expect(Math.max(...forecast.quantiles, ...forecast.peaks)).toBe(100)
  })

  test('has no forecast before half an hour of readings', () => {
    expect(
      diskForecast(
        disk(72, (hour) => (hour > 71.8 ? 40 : undefined)),
        t0 + 72 * hourMs,
      ),
    ).toBeUndefined()
    expect(diskForecast(emptySeries(), t0)).toBeUndefined()
  })
})

test('uptime counts on', () => {
  const forecast = uptimeForecast(
    disk(48, () => 1),
    t0 + 48 * hourMs,
  )!
  expect(median(forecast.quantiles, 31)).toBeCloseTo(2 + 7.875 / 24, 2)
  expect(uptimeForecast(emptySeries(), t0)).toBeUndefined()
})
