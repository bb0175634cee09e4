import { networkMetricNames } from '@harbinger/shared/metrics'
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
      adaptation.wait({ place, end, numbers: metricNumbers(), truth, row: 0 })
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
