import { chanceGrid } from '@harbinger/shared/forecast/chance'
import { curveIn } from '@harbinger/shared/forecast/chance-curves'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { Q } from '@harbinger/shared/forecast/quantiles'
import { expect, test } from 'vitest'
import { truthBatch } from '../windows/truth.ts'
import { metricNumbers } from './pick-metric.ts'
import { replay } from './replay.ts'

const hourMs = 3_600_000
const t0 = Date.UTC(2025, 0, 6)
const v = networkMetricNames.indexOf('mem_used_pct')
const place = { contender: 'model', profile: 'database', v } as const

/** Forecasts whose bands lie far below all truth, of every hour. */
function waiting(hours: number) {
  const adaptation = replay(undefined)
  const truth = truthBatch(1)
  truth.truth.fill(90)
  truth.truthKnown.fill(1)
  truth.peakTruth.fill(90)
  truth.peakKnown.fill(1)
  for (let hour = 0; hour < hours; hour++) {
    for (let i = 0; i < 30; i++) {
      const end = t0 + hour * hourMs
      const numbers = metricNumbers()
      for (let q = 0; q < Q; q++) numbers.peaks.fill(10 * q, 2 * Q + q, 2 * Q + q + 1)
      adaptation.wait({ place, end, numbers, thresholds: [45], truth, row: 0 })
    }
  }
  return adaptation
}
const learnt = (adaptation: ReturnType<typeof replay>) =>
  adaptation.state().factors['model database mem_used_pct peak 2']

test('nothing is learnt of a peak before its eight hours are over', () => {
  const adaptation = waiting(1)
  adaptation.turn(t0 + 8 * hourMs - 1)
  expect(adaptation.state().gathering).not.toHaveProperty('model database mem_used_pct peak 2')
  adaptation.turn(t0 + 8 * hourMs)
  expect(adaptation.state().gathering).toHaveProperty('model database mem_used_pct peak 2')
})

test('what has matured widens the side that was missed, and each forecast counts once', () => {
  const adaptation = waiting(2)
  adaptation.turn(t0 + 9 * hourMs)
  const [below, above] = learnt(adaptation)!
  expect(above).toBeGreaterThan(0)
  expect(below).toBeLessThan(0)
  adaptation.turn(t0 + 20 * hourMs)
  expect(learnt(adaptation)).toEqual([below, above])
})

test('a chance of reaching an own threshold is learnt from when its eight hours are over', () => {
  const adaptation = waiting(1)
  const cases = () => adaptation.state().chances!.cells['model mem_used_pct']?.cases
  adaptation.turn(t0 + 8 * hourMs - 1)
  expect(cases()).toBeUndefined()
  const before = adaptation.adapted()
  adaptation.turn(t0 + 8 * hourMs)
  // Only the peak of eight hours said more than 0: 30 cases, which all came.
  expect(cases()!.reduce((sum, n) => sum + n, 0)).toBeCloseTo(30)
  expect(adaptation.state().chances!.cells['model mem_used_pct']!.came).toEqual(cases())
  expect(curveIn(before.curves, place)).toBeUndefined()
  // Threshold 45 lies between the quantiles of 75 and 90 %: a chance of 17.5 %, next to 20 %.
  const near = chanceGrid.indexOf(0.2)
  expect(curveIn(adaptation.adapted().curves, place)![near]).toBeGreaterThan(
    chanceGrid[near]! + 0.05,
  )
})
