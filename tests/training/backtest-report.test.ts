import { afterAll, describe, expect, test } from 'vitest'
import { minuteMs } from '../../shared/src/window/series.ts'
import { backtest } from '../../model-training/src/backtest/backtest.ts'
import { simulatedHistory } from '../../model-training/src/history/simulated-history.ts'
import { baseModelFolder } from '../../model-training/src/model/shipped.ts'
import { openInference } from '../../model-training/src/onnx/inference.ts'

const startAt = Date.UTC(2025, 2, 3)
const dayMs = 1440 * minuteMs
const whole = simulatedHistory({ seed: 5, servers: 14, startAt, days: 4 })
/** One server is first measured on the third day. */
const history = {
  ...whole,
  servers: whole.servers.map((server, i) => {
    const firstMinute = (startAt + 2 * dayMs) / minuteMs
    return i === 0 ? { ...server, series: { ...server.series, firstMinute } } : server
  }),
}
const inference = await openInference(baseModelFolder, { threads: 1 })
afterAll(() => inference.close())
const model = { id: 'shipped', inference }

const report = await backtest({
  ...{ history, model, clock: () => 0, every: 300, shortenEvery: 0 },
  ...{ from: startAt + 3 * dayMs, learntUntil: startAt + 2 * dayMs },
  otherSeeds: [{ ...model, id: 'again' }],
})

describe('a report', () => {
  test('has an interval about the skill, servers resampled', () => {
    const { figure, low, high } = report.skill!
    expect(figure).toBeCloseTo(1 - report.wqlRatio!, 4)
    expect(low).toBeLessThan(figure)
    expect(high).toBeGreaterThan(figure)
  })

  test('has each seed and the interval of their mean', () => {
    const [first, again] = report.seeds!.models
    expect(again).toEqual({ ...first, id: 'again' })
    expect(first!.wqlRatio).toBe(report.wqlRatio)
    expect(report.seeds!.skill).toEqual(report.skill)
  })

  test('tells servers apart that the model has met from those it has not', () => {
    const { seen, new: fresh } = report.byServer
    expect([seen!.servers, fresh!.servers]).toEqual([13, 1])
    expect(seen!.n + fresh!.n).toBe(
      Object.values(report.byProfile).reduce((sum, { n }) => sum + n, 0),
    )
  })

  test('has a bucket for each profile, metric and part of the horizon, and none without points', () => {
    expect(report.buckets.length).toBe(7 * 12 * 3)
    for (const { n, windows, width, coverage80, ratio } of report.buckets) {
      expect(n).toBeGreaterThan(0)
      expect(windows).toBeLessThanOrEqual(report.windows)
      expect(width).toBeGreaterThan(0)
      expect(coverage80).toBeGreaterThanOrEqual(0)
      expect(ratio === null || ratio > 0).toBe(true)
    }
    const points = report.buckets.reduce((sum, { n }) => sum + n, 0)
    expect(points).toBe(Object.values(report.byHorizon).reduce((sum, { n }) => sum + n, 0))
    const inBand = report.buckets.reduce((sum, { n, coverage80 }) => sum + n * coverage80!, 0)
    expect(inBand / points).toBeCloseTo(report.model!.coverage80!, 4)
  })
})
