import { describe, expect, test } from 'vitest'
import { horizonSteps as F, historySteps as T, V } from '@harbinger/shared/window/window-batch'
import { simulatedHistory } from '../history/simulated-history.ts'
import { drawHistoryMinutes } from './augment.ts'
import { randomStream } from './random.ts'
import { trainingBatch } from './training-batch.ts'
import { drawBatch, type Source } from './training-set.ts'
import { blendRow, rescaleRow, shiftWeek } from './vary.ts'

const history = simulatedHistory({
  ...{ seed: 2, servers: 6, startAt: Date.UTC(2025, 2, 3), days: 5, stepMinutes: 5 },
})
const source: Source = { history, weight: 1, from: history.from, to: history.to }
const draw = (size: number, place: number, augment = true) =>
  drawBatch(trainingBatch(size), [source], { seed: 9, place, augment })

describe('a batch to learn from', () => {
  test('is decided by seed and place alone', () => {
    expect(draw(16, 4)).toEqual(draw(16, 4))
    expect(draw(16, 4).past).not.toEqual(draw(16, 5).past)
  })

  test('holds windows short and long, with and without profile, hardware and metrics', () => {
    const batch = draw(256, 1)
    const known = (row: number, v: number): number => {
      let sum = 0
      for (let t = 0; t < T; t++) sum += batch.pastKnown[(row * T + t) * V + v]!
      return sum
    }
    const rows = [...Array(256).keys()]
    const share = (test: (row: number) => boolean): number => rows.filter(test).length / 256
    expect(share((row) => batch.profile[row] === 0n)).toBeGreaterThan(0.3)
    expect(share((row) => batch.profile[row] === 0n)).toBeLessThan(0.5)
    expect(share((row) => batch.statics[row * 6 + 1] === 0)).toBeGreaterThan(0.2)
    expect(share((row) => known(row, 0) > 0 && known(row, 0) < 48)).toBeGreaterThan(0.1)
    expect(share((row) => known(row, 4) === 0)).toBeGreaterThan(0.03)
    expect(share((row) => known(row, 0) > 90)).toBeGreaterThan(0.3)
  })

  test('never asks for what a window of a missing metric cannot show', () => {
    const batch = draw(256, 2)
    for (let row = 0; row < 256; row++) {
      for (let v = 0; v < V; v++) {
        let known = 0
        for (let t = 0; t < T; t++) known += batch.pastKnown[(row * T + t) * V + v]!
        if (known > 0) continue
        for (let f = 0; f < F; f++) expect(batch.truthKnown[(row * F + f) * V + v]).toBe(0)
      }
    }
  })

  test('shows named moments more often than chance does, unblended', () => {
    const moment = {
      server: 2,
      from: history.from + 3 * 86_400_000,
      to: history.from + 3.1 * 86_400_000,
    }
    const rows = 200
    const batch = drawBatch(trainingBatch(rows), [{ ...source, moments: [moment] }], {
      ...{ seed: 9, place: 6 },
    })
    // Hardware tells the server; blends keep that of the window they began with.
    const hour = (row: number): number => {
      const [sin, cos] = batch.calendarPast.subarray(((row + 1) * T - 1) * 5)
      return (((Math.atan2(sin!, cos!) / (2 * Math.PI)) * 24 + 24) % 24) + 0.25
    }
    const inMoment = [...Array(rows).keys()].filter((row) => hour(row) <= 2.7).length
    expect(inMoment / rows).toBeGreaterThan(0.2)
    expect(inMoment / rows).toBeLessThan(0.45)
  })

  test('stays within what each metric can be', () => {
    const batch = draw(256, 3)
    for (const values of [batch.past, batch.seasonal, batch.truth, batch.peakTruth]) {
      expect(values.reduce((a, b) => Math.min(a, b), 0)).toBeGreaterThanOrEqual(-1e-4)
    }
    const shares = batch.truth.filter((_value, k) => k % V < 7)
    expect(shares.reduce((a, b) => Math.max(a, b), 0)).toBeLessThanOrEqual(100.001)
  })
})

describe('a variation', () => {
  test('of half and half is the mean of the two, where both are known', () => {
    const batch = draw(2, 7, false)
    const from = draw(2, 8, false)
    batch.truthKnown[5] = 0
    const before = batch.truth.slice()
    blendRow(batch, 0, { from, other: 1, share: 0.5 })
    for (let k = 0; k < F * V; k++) {
      const both = k !== 5 && from.truthKnown[F * V + k]! > 0
      const mean = (before[k]! + from.truth[F * V + k]!) / 2
      expect(batch.truth[k]!).toBeCloseTo(both ? mean : 0, 3)
    }
    expect(batch.truth.subarray(F * V)).toEqual(before.subarray(F * V))
  })

  test('of scale moves past and future alike', () => {
    const batch = draw(1, 11, false)
    const before = { past: batch.past.slice(), truth: batch.truth.slice() }
    rescaleRow(batch, 0, randomStream(1))
    const v = 8
    const stretch = batch.past[2 * v]! / before.past[2 * v]!
    expect(stretch).not.toBeCloseTo(1, 2)
    expect(batch.truth[v]! / before.truth[v]!).toBeCloseTo(stretch, 3)
    expect(batch.past[2 * (95 * V + v)]! / before.past[2 * (95 * V + v)]!).toBeCloseTo(stretch, 3)
  })

  test('of the week leaves the hour, and seven days are none', () => {
    const batch = draw(1, 12, false)
    const before = batch.calendarFuture.slice()
    shiftWeek(batch, 0, 3)
    expect(batch.calendarFuture[0]).toBeCloseTo(before[0]!, 5)
    expect(batch.calendarFuture[2]).not.toBeCloseTo(before[2]!, 2)
    shiftWeek(batch, 0, 4)
    expect(batch.calendarFuture[2]).toBeCloseTo(before[2]!, 5)
    expect(batch.calendarFuture[3]).toBeCloseTo(before[3]!, 5)
  })

  test('of history is short for a quarter of the windows, from 15 minutes to two days', () => {
    const random = randomStream(1)
    const drawn = Array.from({ length: 4000 }, () => drawHistoryMinutes(random))
    const short = drawn.filter((minutes) => minutes !== undefined && minutes <= 1440)
    expect(short.length / 4000).toBeGreaterThan(0.18)
    expect(short.length / 4000).toBeLessThan(0.26)
    expect(Math.min(...(short as number[]))).toBeLessThan(17)
    expect(drawn.filter((minutes) => minutes === undefined).length / 4000).toBeGreaterThan(0.5)
  })
})
