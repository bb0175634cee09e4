import { expect, test } from 'vitest'
import { Q } from '@harbinger/shared/forecast/quantiles'
import { horizonSteps as F, V } from '@harbinger/shared/window/window-batch'
import { truthBatch } from '../windows/truth.ts'
import { addWindow, coverage80, emptyScore, maseOf, median, metricWql, wql } from './score.ts'

/** One window whose metric 0 is `truth` at the first steps and unknown after, forecast by the same quantiles. */
function scoreOf(truth: readonly number[], quantiles: readonly number[]) {
  const batch = truthBatch(1)
  truth.forEach((value, f) => {
    batch.truth[f * V] = value
    batch.truthKnown[f * V] = 1
  })
  const all = new Float32Array(F * V * Q)
  for (let k = 0; k < F * V; k++) all.set(quantiles, k * Q)
  const score = emptyScore()
  const rows = { quantiles: all, truth: batch, row: 0 }
  addWindow(score, rows)
  return { ...score, mase: maseOf(rows, new Float64Array(V).fill(2)) }
}

test('the weighted quantile loss is what a hand computes', () => {
  // .1 → 8, .5 → 10, .9 → 14 against 10 and 20.
  const score = scoreOf([10, 20], [0, 8, 9, 10, 12, 14, 30])
  const pinball = 0.1 * 2 + 0 + 0.1 * 4 + (0.1 * 12 + 0.5 * 10 + 0.9 * 6)
  expect(metricWql(score.metrics[0]!)).toBeCloseTo((2 * pinball) / (3 * 30), 8)
  expect(wql(score)).toBeCloseTo((2 * pinball) / (3 * 30), 8)
  expect(coverage80(score)).toBe(0.5)
  expect(score.mase).toEqual([(0 + 10) / 2 / 2])
})

test('nothing that was not measured is scored', () => {
  const score = scoreOf([10], [0, 0, 0, 0, 0, 0, 0])
  expect(score.metrics[0]!.points).toBe(1)
  expect(score.metrics[1]!.points).toBe(0)
  expect(metricWql(score.metrics[1]!)).toBeNaN()
})

test('metrics count alike, whatever their size', () => {
  const score = emptyScore()
  Object.assign(score.metrics[0]!, { pinball: 3, truth: 10, points: 1 })
  Object.assign(score.metrics[1]!, { pinball: 300, truth: 2000, points: 1 })
  expect(wql(score)).toBeCloseTo((2 / 3) * (0.3 + 0.15) * 0.5, 10)
})

test('the median of an even number lies between the middle two', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([3, 1, 2])).toBe(2)
  expect(median([])).toBeNaN()
})
