import { describe, expect, test } from 'vitest'
import { historySteps as T, horizonSteps as F, V, windowBatch } from '../window/window-batch.ts'
import { correctionHalfLifeSteps, dayShare, fillBaseline, levelOf } from './baseline.ts'
import { baselineNames } from './baseline-names.ts'
import { baselineQuantiles } from './baselines.ts'
import { Q } from './quantiles.ts'

/** A window of one metric: past values (undefined is a gap) and the usual value of each step. */
function windowOf(
  past: (t: number) => number | undefined,
  usual?: (step: number) => number | undefined,
  v = 0,
) {
  const batch = windowBatch(1)
  for (let t = 0; t < T; t++) {
    const k = t * V + v
    const value = past(t)
    if (value !== undefined) {
      batch.past[2 * k] = value
      batch.past[2 * k + 1] = value
      batch.pastKnown[k] = 1
    }
    const same = usual?.(t)
    if (same === undefined) continue
    batch.seasonalPast[k] = same
    batch.seasonalPastKnown[k] = 1
  }
  for (let f = 0; f < F; f++) {
    const k = f * V + v
    const same = usual?.(T + f)
    if (same === undefined) continue
    batch.seasonal[k] = same
    batch.seasonalKnown[k] = 1
    batch.yesterday[k] = same
    batch.yesterdayKnown[k] = 1
  }
  fillBaseline(batch, 0)
  return batch
}

const daily = (step: number): number => 20 + 10 * Math.sin((2 * Math.PI * step) / 96)

describe('the strong baseline', () => {
  test('of a server that does what it always does is what it always does', () => {
    const { baseline } = windowOf(daily, daily)
    for (let f = 0; f < F; f++) expect(baseline[f * V]).toBeCloseTo(daily(T + f), 4)
  })

  test('lets a sudden deviation fade by half in its half-life', () => {
    const lifted = 8
    const { baseline } = windowOf(
      (t) => (t >= T - 30 ? 20 + lifted : 20),
      () => 20,
    )
    const ahead = (f: number): number => baseline[f * V]! - 20
    const lasting = dayShare * lifted * (30 / 96)
    const fast = (f: number): number => ahead(f) - lasting * 0.5 ** ((f + 1) / 192)
    expect(fast(correctionHalfLifeSteps)).toBeCloseTo(0.5 * fast(0), 2)
    expect(ahead(0)).toBeGreaterThan(ahead(F - 1))
  })

  test('takes a level that holds all day for the new level', () => {
    const { baseline } = windowOf(
      () => 28,
      () => 20,
    )
    for (let f = 0; f < F; f++) expect(baseline[f * V]).toBeGreaterThan(26)
  })

  test('without an earlier day goes from the level now to the mean of the window', () => {
    const { baseline } = windowOf((t) => (t < T - 8 ? undefined : t < T - 4 ? 10 : 30))
    expect(baseline[0]).toBeGreaterThan(27)
    expect(baseline[(F - 1) * V]).toBeLessThan(baseline[0]!)
    expect(baseline[(F - 1) * V]).toBeGreaterThan(20)
  })

  test('on the second day is yesterday, moved by how far today is from it', () => {
    const today = (t: number): number => daily(t) + (t > T - 8 ? 6 : 0)
    const { baseline } = windowOf(today, (step) => (step < T ? undefined : daily(step)))
    // Today is 6 above yesterday; half of that is left after two hours.
    expect(baseline[0]! - daily(T)).toBeGreaterThan(3)
    expect(baseline[(F - 1) * V]! - daily(T + F - 1)).toBeLessThan(0.6)
    expect(baseline[(F - 1) * V]! - daily(T + F - 1)).toBeGreaterThan(0)
  })

  test('of a metric nobody measured is 0, and never below 0', () => {
    expect([...windowOf(() => undefined).baseline].every((value) => value === 0)).toBe(true)
    const { baseline } = windowOf(
      (t) => (t > T - 20 ? 0 : 5),
      () => 3,
    )
    for (let f = 0; f < F; f++) expect(baseline[f * V]).toBeGreaterThanOrEqual(0)
  })

  test('reads its level from known steps alone', () => {
    const batch = windowOf(
      (t) => (t % 2 === 0 ? 10 : undefined),
      () => 4,
    )
    expect(levelOf(batch, 0, 0).mean).toBeCloseTo(10, 5)
    expect(levelOf(batch, 0, 0).deviation).toBeCloseTo(6, 5)
  })
})

describe.each(baselineNames)('baseline %s', (name) => {
  const rising = (t: number): number => 40 + 0.2 * t + (t % 3)

  test.each([
    ['a full window', windowOf(rising, daily)],
    ['no earlier day', windowOf(rising)],
    ['fifteen minutes', windowOf((t) => (t === T - 1 ? 50 : undefined))],
    ['nothing at all', windowOf(() => undefined)],
    [
      'a server at its limit',
      windowOf(
        () => 100,
        () => 100,
      ),
    ],
  ])('gives rising quantiles within the range of the metric for %s', (_what, batch) => {
    const { quantiles, peaks } = baselineQuantiles(batch, 0, name)
    for (const values of [quantiles, peaks]) {
      for (let k = 0; k < values.length; k += Q) {
        for (let q = 0; q < Q; q++) {
          expect(Number.isFinite(values[k + q]!)).toBe(true)
          expect(values[k + q]!).toBeGreaterThanOrEqual(q === 0 ? 0 : values[k + q - 1]!)
        }
        if ((k / Q) % V < 7) expect(values[k + Q - 1]!).toBeLessThanOrEqual(100)
      }
    }
  })

  test('is wide when it has seen little', () => {
    const width = (batch: ReturnType<typeof windowOf>): number => {
      const { quantiles } = baselineQuantiles(batch, 0, name)
      return quantiles[(F - 1) * V * Q + 5]! - quantiles[(F - 1) * V * Q + 1]!
    }
    const steady = (t: number): number => 50 + (t % 2)
    const young = windowOf((t) => (t >= T - 2 ? steady(t) : undefined))
    expect(width(young)).toBeGreaterThan(width(windowOf(steady, () => 50.5)))
  })
})

describe('where the baselines differ', () => {
  const medianAt = (
    batch: ReturnType<typeof windowOf>,
    name: (typeof baselineNames)[number],
    f: number,
  ) => baselineQuantiles(batch, 0, name).quantiles[f * V * Q + 3]!

  test('a line goes on, the last value stays, yesterday comes back', () => {
    const batch = windowOf(
      (t) => 0.5 * t,
      (step) => (step < T ? 0.5 * step : 7),
    )
    expect(medianAt(batch, 'linear-24h', 7)).toBeCloseTo(0.5 * (T + 7), 0)
    expect(medianAt(batch, 'last-value', 7)).toBeCloseTo(0.5 * (T - 1), 0)
    expect(medianAt(batch, 'seasonal-naive', 7)).toBeCloseTo(7, 0)
  })
})
