import { medianIndex, Q } from '@harbinger/shared/forecast/quantiles'
import { addSample, emptySeries, minuteMs } from '@harbinger/shared/window/series'
import { describe, expect, test } from 'vitest'
import { settle } from './settle.ts'
import { diskForecast, uptimeForecast } from './slow-metrics.ts'
import { slowReadings } from './slow-readings.ts'

const disk = (value: (step: number) => number) =>
  Float32Array.from({ length: 96 }, (_, i) => value(i))
const median = (quantiles: Float32Array, step: number) => quantiles[step * Q + medianIndex]!

describe('disk', () => {
  test('goes on as it went', () => {
    const made = diskForecast(disk((step) => 50 + 0.05 * step))!
    expect(made.source).toBe('baseline:robust-trend')
    // The middle of step 20 lies 21 steps after the middle of the last one.
    expect(median(made.quantiles, 20)).toBeCloseTo(50 + 0.05 * (95 + 21), 1)
    expect(made.peaks[2 * Q + medianIndex]).toBeCloseTo(median(made.quantiles, 31), 4)
  })

  test('a jump is neither a trend nor forgotten', () => {
    const made = diskForecast(disk((step) => (step < 60 ? 40 : 70)))!
    expect(median(made.quantiles, 31)).toBeCloseTo(70, 1)
    expect(made.sourceReason).toMatch(/since its last jump/)
    const fresh = diskForecast(disk((step) => (step < 93 ? 40 : 70)))!
    expect(median(fresh.quantiles, 31)).toBeCloseTo(70, 1)
    expect(fresh.sourceReason).toMatch(/jumped within the last two hours/)
  })

  test('a gap changes nothing', () => {
    const made = diskForecast(disk((step) => (step > 30 && step < 80 ? NaN : 50 + 0.05 * step)))!
    expect(median(made.quantiles, 0)).toBeCloseTo(54.8, 1)
  })

  test('little history makes a wide forecast that says so', () => {
    const width = (made: ReturnType<typeof diskForecast>) =>
      made!.quantiles[32 * Q - 1]! - median(made!.quantiles, 31)
    const short = diskForecast(disk((step) => (step < 93 ? NaN : 50)))
    expect(short!.sourceReason).toMatch(/less than two hours of history/)
    expect(width(short)).toBeGreaterThan(5 * width(diskForecast(disk(() => 50))))
  })

  test('stays within what a disk can be', () => {
    const made = diskForecast(disk((step) => 100 - 0.5 * (95 - step)))!
    expect(Math.max(...made.quantiles)).toBeLessThanOrEqual(100)
    expect(settle(made, 100)).toBe(true)
  })

  test('is not made up', () => expect(diskForecast(disk(() => NaN))).toBeUndefined())
})

test('uptime is arithmetic', () => {
  const { quantiles, peaks, source } = uptimeForecast(10)!
  expect(source).toBe('baseline:arithmetic')
  expect(median(quantiles, 0)).toBeCloseTo(10 + 7.5 / 1440, 5)
  expect(median(quantiles, 31)).toBeCloseTo(10 + 472.5 / 1440, 5)
  expect(peaks[0]).toBeCloseTo(10 + 60 / 1440, 5)
  expect(uptimeForecast(NaN)).toBeUndefined()
})

test('readings are taken from the steps that end now', () => {
  const series = emptySeries()
  const begin = Date.parse('2026-03-02T00:07:00Z')
  for (let m = 0; m < 60; m++) {
    addSample(series, begin + m * minuteMs, { disk_usage_pct: m, uptime_days: 5 + m / 1440 })
  }
  const { disk: steps, uptimeDays } = slowReadings(series, begin + 60 * minuteMs)
  expect([...steps.slice(-4)]).toEqual([7, 22, 37, 52])
  expect(steps[91]).toBeNaN()
  expect(uptimeDays).toBeCloseTo(5 + 59.5 / 1440, 4)
  expect(slowReadings(emptySeries(), begin).uptimeDays).toBeNaN()
})
