import { expect, test } from 'vitest'
import { cpuParts, metricIndex, metricNames, networkMetricNames } from '@harbinger/shared/metrics'
import { minuteCell } from '@harbinger/shared/window/series'
import { variedHistory } from './varied-history.ts'

const options = { seed: 3, servers: 24, startAt: Date.UTC(2025, 2, 3), days: 2 } as const
const history = variedHistory(options)
const width = metricNames.length

/** All readings of one metric of one server. */
function readings(server: number, metric: keyof typeof metricIndex): number[] {
  const { series } = history.servers[server]!
  const out: number[] = []
  for (let minute = series.firstMinute; minute <= series.lastMinute; minute++) {
    const cell = minuteCell(series, minute)
    if (series.count[cell + metricIndex[metric]]! > 0)
      out.push(series.mean[cell + metricIndex[metric]]!)
  }
  return out
}

test('is decided by its seed alone', () => {
  const { mean } = history.servers[5]!.series
  expect(variedHistory(options).servers[5]!.series.mean).toEqual(mean)
  expect(variedHistory({ ...options, seed: 4 }).servers[5]!.series.mean).not.toEqual(mean)
  expect(mean.length % width).toBe(0)
})

test('holds a reading every five minutes, and the parts of CPU time are 100 together', () => {
  for (let server = 0; server < options.servers; server++) {
    const parts = cpuParts.map((name) => readings(server, name))
    for (const part of parts) expect(part.length).toBe(2 * 288)
    for (let t = 0; t < 2 * 288; t++) {
      expect(Math.abs(parts.reduce((sum, part) => sum + part[t]!, 0) - 100)).toBeLessThan(0.01)
    }
  }
})

test('never leaves what a metric can be', () => {
  for (const metric of networkMetricNames) {
    for (let server = 0; server < options.servers; server++) {
      for (const value of readings(server, metric)) {
        expect(value).toBeGreaterThanOrEqual(0)
        if (metric.endsWith('_pct')) expect(value).toBeLessThanOrEqual(100)
        if (metric.endsWith('close_wait')) expect(value).toBe(Math.round(value))
      }
    }
  }
})

test('has servers that keep the hours of a day and servers that do not', () => {
  const likeYesterday = Array.from({ length: options.servers }, (_, server) => {
    const load = readings(server, 'load_average')
    return correlation(load.slice(0, 288), load.slice(288))
  })
  expect(Math.max(...likeYesterday)).toBeGreaterThan(0.8)
  expect(Math.min(...likeYesterday)).toBeLessThan(0.3)
})

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (of: readonly number[]): number => of.reduce((x, y) => x + y, 0) / of.length
  const [ma, mb] = [mean(a), mean(b)]
  const dot = (p: readonly number[], mp: number, q: readonly number[], mq: number): number =>
    p.reduce((sum, x, i) => sum + (x - mp) * (q[i]! - mq), 0)
  return dot(a, ma, b, mb) / Math.sqrt(dot(a, ma, a, ma) * dot(b, mb, b, mb))
}
