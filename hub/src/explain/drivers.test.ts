import { Q } from '@harbinger/shared/forecast/quantiles'
import { horizonSteps } from '@harbinger/shared/window/window-batch'
import { describe, expect, test } from 'vitest'
import type { MetricForecast } from '../forecast/server-forecast.ts'
import { checkAttention, spanAt } from './attention.ts'
import { checkSelection, findDrivers, type Occluded } from './drivers.ts'
import { drawSome } from './random-draws.ts'
import type { NetworkMetric } from './occlude.ts'

/** A flat forecast around `level` with a band of 20 between p10 and p90. */
function flat(level: number): MetricForecast {
  const around = [-14, -10, -5, 0, 5, 10, 14]
  const of = (rows: number) =>
    Float32Array.from({ length: rows * Q }, (_, i) => level + around[i % Q]!)
  return { source: 'model:m', sourceReason: '', quantiles: of(horizonSteps), peaks: of(3) }
}

const without = (metric: NetworkMetric, shift: number): Occluded => ({
  removal: { kind: 'metric', metric },
  without: flat(70 + shift),
})
const made = flat(70)
const quiet = [
  without('cpu_sys_pct', 0.2),
  without('cpu_iowait_pct', -0.3),
  without('net_in_mb_s', 0.1),
  without('net_out_mb_s', 0),
]

describe('drivers', () => {
  test('are in the order of what removing them does, with the peak with and without', () => {
    const { withheld, items, check } = findDrivers('mem_used_pct', {
      ...{ made, seed: 1 },
      occluded: [
        ...quiet,
        without('swap_used_pct', -6),
        { removal: { kind: 'own_course', metric: 'mem_used_pct' }, without: flat(50) },
      ],
    })
    expect(withheld).toBeNull()
    expect(items.map(({ kind, metric, effect }) => [kind, metric, effect])).toEqual([
      ['own_course', 'mem_used_pct', 20],
      ['metric', 'swap_used_pct', 6],
    ])
    expect(items[1]).toMatchObject({
      peakWith: 70,
      peakWithout: 64,
      text: 'Without Swap, the expected peak would be 64 % instead of 70 %.',
    })
    expect(check).toMatchObject({
      removed: 'its own course of the last 24 h',
      effect: 20,
      passed: true,
    })
    expect(check!.randomEffects).toHaveLength(5)
  })

  test('are withheld when the largest effect is lost in the forecast’s own band', () => {
    const { withheld, items, check } = findDrivers('mem_used_pct', {
      made,
      occluded: quiet,
      seed: 1,
    })
    expect(items).toEqual([])
    expect(check).toMatchObject({ passed: false, effect: 0.3, needed: 2 })
    expect(withheld).toContain('no single input decides it')
    expect(withheld).toContain('0.3 points')
  })

  test('are withheld when others drawn at random move it as much', () => {
    const { withheld, items } = findDrivers('mem_used_pct', {
      ...{ made, seed: 1 },
      occluded: quiet.map(({ removal }, i) => ({ removal, without: flat(74 + 0.1 * i) })),
    })
    expect(items).toEqual([])
    expect(withheld).toContain('no single input stands out')
  })

  test('are withheld when too little is measured to check them', () => {
    const { withheld } = findDrivers('mem_used_pct', {
      ...{ made, seed: 1 },
      occluded: [without('swap_used_pct', 9), ...quiet.slice(0, 2)],
    })
    expect(withheld).toContain('fewer than three other metrics')
  })
})

describe('selection weights', () => {
  const occluded = [...quiet, without('swap_used_pct', -6)]
  const weigh = (favourite: NetworkMetric) =>
    checkSelection('mem_used_pct', {
      ...{ made, occluded, seed: 1 },
      weightOf: (metric) => (metric === favourite ? 0.5 : 0.1),
    })

  test('are shown when the most weighed metric matters', () => {
    expect(weigh('swap_used_pct')).toMatchObject({ withheld: null, check: { passed: true } })
  })

  test('are withheld when removing it does less than removing others', () => {
    const { withheld, check } = weigh('net_in_mb_s')
    expect(check).toMatchObject({ removed: 'Network in', passed: false })
    expect(withheld).toContain('the network weighs Network in most, but')
  })
})

describe('attention', () => {
  const windowEnd = Date.parse('2026-03-12T10:00:00Z')
  const looked = (span: number) =>
    Float32Array.from({ length: 96 }, (_, t) => (Math.floor(t / 12) === span ? 0.05 : 0.005))
  const effects = Array.from({ length: 8 }, (_, i) => ({
    removed: spanAt(i),
    effect: i === 7 ? 4 : 0.2,
  }))

  test('is shown when the most attended hours matter', () => {
    const { withheld, spans } = checkAttention({
      ...{ attention: looked(7), effects, seed: 3, windowEnd },
    })
    expect(withheld).toBeNull()
    expect(spans).toHaveLength(8)
    expect(spans[7]).toEqual({
      from: '2026-03-12T07:00:00.000Z',
      to: '2026-03-12T10:00:00.000Z',
      ...{ share: 0.5882, effect: 4 },
    })
  })

  test('is withheld when others matter more', () => {
    const { withheld, spans, check } = checkAttention({
      ...{ attention: looked(0), effects, seed: 3, windowEnd },
    })
    expect(spans).toEqual([])
    expect(check).toMatchObject({ removed: '21 to 24 h ago', passed: false })
    expect(withheld).toContain('21 to 24 h ago')
  })

  test('is withheld of a server measured for a few hours', () => {
    const { withheld } = checkAttention({
      ...{ attention: looked(7), effects: effects.slice(5), seed: 3, windowEnd },
    })
    expect(withheld).toContain('less than half a day')
  })
})

test('draws at random are the same for the same question, and never repeat one', () => {
  const all = [1, 2, 3, 4, 5, 6, 7, 8]
  expect(drawSome(all, 5, 9)).toEqual(drawSome(all, 5, 9))
  expect(new Set(drawSome(all, 5, 9)).size).toBe(5)
  expect(drawSome(all, 5, 9)).not.toEqual(drawSome(all, 5, 10))
  expect(drawSome(all.slice(0, 2), 5, 9)).toHaveLength(2)
})
