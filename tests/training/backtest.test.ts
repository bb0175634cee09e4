import { expect, test } from 'vitest'
import { addSample, minuteMs } from '../../shared/src/window/series.ts'
import { V } from '../../shared/src/window/window-batch.ts'
import { backtest } from '../../model-training/src/backtest/backtest.ts'
import { type FleetHistory, spanSeries } from '../../model-training/src/history/fleet-history.ts'
import { cutWindow } from '../../model-training/src/windows/cut-window.ts'
import { fillTruth, truthBatch } from '../../model-training/src/windows/truth.ts'
import { windowBatch } from '../../shared/src/window/window-batch.ts'

const t0 = Date.UTC(2025, 0, 6)
const dayMs = 1440 * minuteMs

function fleet(days: number, read: (at: number) => number | undefined): FleetHistory {
  const to = t0 + days * dayMs - 1
  const series = spanSeries(t0, to, 5)
  for (let at = t0; at <= to; at += 5 * minuteMs) {
    const value = read(at)
    if (value !== undefined) addSample(series, at, { load_average: value })
  }
  return {
    ...{ name: 'made', simulated: true, from: t0, to, intervalMinutes: 5 },
    metrics: ['load_average'],
    servers: [{ name: 'a', profile: undefined, cores: undefined, series }],
  }
}

const clock = () => performance.now()

test('a backtest of a server that never changes has the loss a hand computes', async () => {
  const report = await backtest({ history: fleet(3, () => 10), clock, shortenEvery: 0 })
  // Origins every hour from the end of the first day to 8 hours before the last reading.
  expect(report.origins).toBe(2 * 24 - 8 + 1)
  expect(report.windows).toBe(report.origins)
  // Every median is 10: what is lost is the width alone, at most a few hundredths.
  const { wql, coverage80, medianMase } = report.baselines['last-value']!
  expect(wql!).toBeLessThan(0.02)
  expect(coverage80).toBe(1)
  expect(medianMase).toBeNull()
  expect(report.model).toBeNull()
  expect(Object.keys(report.byMetric)).toEqual(['load_average'])
})

test('the loss of the last value on a step is half the step, at the median', async () => {
  // 10 until the end of the second day, 20 after it; one origin, at the step.
  const history = fleet(3, (at) => (at < t0 + 2 * dayMs ? 10 : 20))
  const from = t0 + 2 * dayMs
  const report = await backtest({ history, clock, from, to: from + dayMs / 3, shortenEvery: 0 })
  expect(report.origins).toBe(1)
  const { wql } = report.baselines['last-value']!
  // All three quantiles miss by 10 less their width w: 2 × (0.1 + 0.5 + 0.9) × 10 ÷ (3 × 20) = 0.5.
  expect(wql!).toBeGreaterThan(0.45)
  expect(wql!).toBeLessThan(0.5)
})

test('a stretch that nobody measured is not scored', async () => {
  const whole = await backtest({ history: fleet(3, (at) => (at % 7) + 5), clock, shortenEvery: 0 })
  const gap = (at: number) => at >= t0 + 2.2 * dayMs && at < t0 + 2.3 * dayMs
  const holed = await backtest({
    history: fleet(3, (at) => (gap(at) ? undefined : (at % 7) + 5)),
    ...{ clock, shortenEvery: 0 },
  })
  // Where a window would end in the gap the hub abstains.
  expect(holed.windows).toBeLessThan(whole.windows)
  expect(holed.baselines['last-value']!.wql).not.toBeNull()
})

test('a stated horizon is true: what is forecast for +30 min is what is measured 30 minutes later', () => {
  const ramp = (at: number): number => (at - t0) / minuteMs
  const history = fleet(3, ramp)
  const now = t0 + 2 * dayMs + 7 * minuteMs + 30_000
  const batch = windowBatch(1)
  const truth = truthBatch(1)
  const end = cutWindow(batch, 0, { server: history.servers[0]!, now })!
  fillTruth(truth, 0, { series: history.servers[0]!.series, end })
  expect(end).toBe(t0 + 2 * dayMs + 7 * minuteMs)
  // Step 2 begins 30 minutes after the window's end: readings at 40, 45 and 50 minutes past midnight.
  const v = V - 1
  expect(truth.truth[2 * V + v]).toBe(2 * 1440 + 45)
  expect(batch.past[2 * (95 * V + v)]).toBe(2 * 1440)
  expect(truth.peakTruth[v]).toBe(2 * 1440 + 65)
})

test('no window knows anything of what comes after it', () => {
  const now = t0 + 2 * dayMs
  const windowOf = (future: number) => {
    const batch = windowBatch(1)
    const history = fleet(3, (at) => (at < now ? Math.sin(at / 1e7) + 2 : future))
    cutWindow(batch, 0, { server: history.servers[0]!, now })
    return batch
  }
  expect(windowOf(1)).toEqual(windowOf(1000))
})
