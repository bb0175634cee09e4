import { Q } from '@harbinger/shared/forecast/quantiles'
import { networkMetricNames } from '@harbinger/shared/metrics'
import type { Manifest } from '@harbinger/shared/model'
import type { Profile } from '@harbinger/shared/profiles'
import { addSample, closeQuarter, emptySeries, minuteMs } from '@harbinger/shared/window/series'
import { fillWindow } from '@harbinger/shared/window/window'
import { horizonSteps, V, windowBatch } from '@harbinger/shared/window/window-batch'
import { describe, expect, test } from 'vitest'
import { forecastRow, forecastRows, type Network } from './forecast-rows.ts'
import { openSlowForecasts } from './slow-forecasts.ts'

const now = Date.parse('2026-03-12T10:00:30Z')
const reason = 'better than the baseline in the backtest'

/** One server that sent what `readings` says each minute of the last `hours`. */
function window(hours: number, readings: (minute: number) => object, profile?: Profile) {
  const series = emptySeries()
  const first = Math.floor(now / minuteMs) - hours * 60
  for (let m = 0; m < hours * 60; m++) {
    addSample(series, (first + m) * minuteMs, readings(m))
    if ((first + m) % 15 === 14) closeQuarter(series, Math.floor((first + m) / 15))
  }
  const batch = windowBatch(1)
  const windowEnd = fillWindow(batch, 0, { series, now, context: { profile } })
  const rows = [{ server: 'db01', slow: openSlowForecasts()(series, windowEnd) }]
  return { batch, rows, windowEnd, issuedAt: now }
}

const noModel: Network = { problem: 'no model is loaded: there is none' }

/** A network whose every quantile q is 10 + q. */
function network(except: Manifest['serves'] = {}): Network {
  return {
    serving: {
      id: 'base-1',
      serves: {
        ...Object.fromEntries(
          networkMetricNames.map((name) => [name, { contender: 'model' as const, reason }]),
        ),
        ...except,
      },
    },
    quantiles: Float32Array.from({ length: horizonSteps * V * Q }, (_, i) => 10 + (i % Q)),
    peaks: Float32Array.from({ length: 3 * V * Q }, (_, i) => 10 + (i % Q)),
  }
}

const memoryAndDisk = () => ({
  mem_used_pct: 60,
  swap_used_pct: 3,
  disk_usage_pct: 70,
  uptime_days: 2,
})

describe('who made the numbers', () => {
  test('the network, for the metrics it serves', () => {
    const { metrics, abstained } = forecastRow(
      { ...window(30, memoryAndDisk), network: network() },
      0,
    )
    expect(abstained).toBeNull()
    expect(metrics.mem_used_pct).toMatchObject({ source: 'model:base-1', sourceReason: reason })
    expect([...metrics.mem_used_pct!.quantiles.slice(0, Q)]).toEqual([10, 11, 12, 13, 14, 15, 16])
    expect(metrics.disk_usage_pct!.source).toBe('baseline:robust-trend')
    expect(metrics.uptime_days!.source).toBe('baseline:arithmetic')
  })

  test('the baseline where the backtest preferred it, and it is named as such', () => {
    const preferred = {
      contender: 'seven-day-mean-level' as const,
      reason: 'the baseline was better on this metric in the backtest',
    }
    const { metrics } = forecastRow(
      { ...window(30, memoryAndDisk), network: network({ mem_used_pct: preferred }) },
      0,
    )
    expect(metrics.mem_used_pct).toMatchObject({
      source: 'baseline:seven-day-mean-level',
      sourceReason: preferred.reason,
    })
    expect(metrics.swap_used_pct!.source).toBe('model:base-1')
    expect(metrics.mem_used_pct!.quantiles[3]).toBeCloseTo(60, 0)
  })

  test('any baseline that was best, by its own numbers', () => {
    const rising = (minute: number) => ({ mem_used_pct: 20 + minute / 60, swap_used_pct: 3 })
    const best = { contender: 'linear-6h' as const, reason: 'it was best' }
    const { metrics } = forecastRow(
      { ...window(30, rising), network: network({ mem_used_pct: best }) },
      0,
    )
    expect(metrics.mem_used_pct).toMatchObject({
      source: 'baseline:linear-6h',
      sourceReason: 'it was best',
    })
    // 50 now, 1 more each hour.
    expect(metrics.mem_used_pct!.quantiles[31 * Q + 3]).toBeGreaterThan(57)
  })

  test('another contender on servers of a profile, where the backtest chose one for it', () => {
    const forDatabases = { contender: 'last-value' as const, reason: 'best on databases' }
    const served = { contender: 'model' as const, reason, profiles: { database: forDatabases } }
    const sourceOf = (profile?: Profile) =>
      forecastRow(
        {
          ...window(30, memoryAndDisk, profile),
          network: network({ mem_used_pct: served }),
        },
        0,
      ).metrics.mem_used_pct
    expect(sourceOf('database')).toMatchObject({
      source: 'baseline:last-value',
      sourceReason: 'best on databases',
    })
    expect(sourceOf('web_api')).toMatchObject({ source: 'model:base-1', sourceReason: reason })
    expect(sourceOf()).toMatchObject({ source: 'model:base-1' })
  })

  test('the last value where yesterday would serve and is not known', () => {
    const best = { contender: 'seasonal-naive' as const, reason: 'it was best' }
    const made = (hours: number) =>
      forecastRow({ ...window(hours, memoryAndDisk), network: network({ mem_used_pct: best }) }, 0)
        .metrics.mem_used_pct!
    // With its own width, too: what is called the last value is computed as that.
    expect(made(2).source).toBe('baseline:last-value')
    expect(made(2).sourceReason).toMatch(/^it was best; with less than a day/)
    expect(made(60).source).toBe('baseline:seasonal-naive')
  })

  test('the baseline of a new server says that it knows little', () => {
    const { metrics } = forecastRow({ ...window(2, memoryAndDisk), network: noModel }, 0)
    expect(metrics.mem_used_pct!.source).toBe('baseline:recent-level')
    expect(metrics.mem_used_pct!.sourceReason).toMatch(
      /^no model is loaded: there is none; with less than a day/,
    )
  })

  test('nobody, for what was not measured', () => {
    const { metrics } = forecastRow(
      { ...window(3, () => ({ mem_used_pct: 50 })), network: network() },
      0,
    )
    expect(Object.keys(metrics)).toEqual(['mem_used_pct'])
  })

  test('the baseline, when the network answers with something that is no number', () => {
    const broken = network()
    if ('quantiles' in broken) broken.quantiles.fill(NaN)
    const { metrics } = forecastRow({ ...window(3, memoryAndDisk), network: broken }, 0)
    expect(metrics.mem_used_pct!.source).toMatch(/^baseline:/)
    expect(metrics.mem_used_pct!.sourceReason).toMatch(/no usable numbers/)
  })

  test('a server that measured nothing abstains', () => {
    const [forecast] = forecastRows({ ...window(3, () => ({})), network: network() })
    expect(forecast).toMatchObject({ abstained: expect.stringMatching(/no metric/), metrics: {} })
  })
})

test('every forecast is in order and in range', () => {
  const wild = (minute: number) => ({
    cpu_user_pct: minute % 7 === 0 ? 100 : 0,
    cpu_idle_pct: minute % 7 === 0 ? 0 : 100,
    mem_used_pct: Math.min(100, minute / 3),
    net_in_mb_s: minute % 13,
    disk_usage_pct: minute % 2 ? 99.9 : 0,
  })
  const { metrics } = forecastRow({ ...window(6, wild), network: noModel }, 0)
  for (const [name, { quantiles, peaks }] of Object.entries(metrics)) {
    const max = name === 'net_in_mb_s' ? Infinity : 100
    for (const numbers of [quantiles, peaks]) {
      numbers.forEach((value, i) => {
        expect(value, name).toBeGreaterThanOrEqual(i % Q === 0 ? 0 : numbers[i - 1]!)
        expect(value, name).toBeLessThanOrEqual(max)
      })
    }
  }
})
