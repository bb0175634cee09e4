import { describe, expect, test } from 'vitest'
import { networkMetricNames } from '../metrics.ts'
import { chanceGrid, translate } from './chance.ts'
import { type ChanceState, curveIn, openChanceCurves } from './chance-curves.ts'

const hourMs = 3_600_000
const v = networkMetricNames.indexOf('mem_used_pct')
const place = { contender: 'model', v } as const

/** Says every chance of `said` a thousand times an hour for a day, of which `often` comes true. */
function say(
  curves: ReturnType<typeof openChanceCurves>,
  often: (chance: number) => number,
  { from = 0, hours = 24, said = [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95] } = {},
) {
  for (let hour = from; hour < from + hours; hour++) {
    for (const chance of said) {
      for (let i = 0; i < 1000; i++) {
        const came = i < 1000 * often(chance)
        curves.observe({ ...place, chance, came, maturedAt: hour * hourMs + i })
      }
    }
  }
  return curves
}
const worth = (curves: ReturnType<typeof openChanceCurves>, chance: number, of = place) =>
  translate(chance, curveIn(curves.table(), of))

describe('chances', () => {
  test.each([
    ['too low', (p: number) => Math.min(1, 1.4 * p)],
    ['too high', (p: number) => 0.6 * p],
    ['right', (p: number) => p],
  ])('that were said %s are said as often as they come', (_, often) => {
    const curves = say(openChanceCurves(), often)
    for (const chance of [0.2, 0.5, 0.65]) {
      expect(Math.abs(worth(curves, chance) - often(chance))).toBeLessThan(0.03)
    }
  })

  test('stand as they are where nothing was learnt, and no metric learns from another', () => {
    const curves = say(openChanceCurves(), () => 0)
    const other = { contender: 'model', v: v + 1 } as const
    expect(curveIn(curves.table(), other)).toBeUndefined()
    expect(worth(curves, 0.4, other as typeof place)).toBe(0.4)
    expect(curveIn(openChanceCurves().table(), place)).toBeUndefined()
    expect(curveIn(undefined, place)).toBeUndefined()
  })

  test('of a few cases change little', () => {
    const curves = openChanceCurves()
    for (let i = 0; i < 10; i++) {
      curves.observe({ ...place, chance: 0.5, came: true, maturedAt: i })
    }
    expect(worth(curves, 0.5)).toBeGreaterThan(0.5)
    expect(worth(curves, 0.5)).toBeLessThan(0.55)
  })

  test('follow what came lately, and what is old is forgotten', () => {
    const curves = say(openChanceCurves(), () => 1)
    expect(worth(curves, 0.5)).toBeGreaterThan(0.9)
    say(curves, () => 0, { from: 24 * 5, hours: 24 })
    expect(worth(curves, 0.5)).toBeLessThan(0.1)
  })

  test('never fall where what was said rises', () => {
    const curve = curveIn(
      say(openChanceCurves(), (p) => 0.5 + 0.4 * Math.sin(20 * p)).table(),
      place,
    )!
    expect(curve).toHaveLength(chanceGrid.length)
    for (const [i, often] of curve.entries()) {
      expect(often).toBeGreaterThanOrEqual(curve[i - 1] ?? 0)
      expect(often).toBeLessThanOrEqual(1)
    }
  })
})

test('what was learnt outlives a restart and is small', () => {
  const before = say(openChanceCurves(), (p) => p / 2)
  const text = JSON.stringify(before.state())
  const after = openChanceCurves(JSON.parse(text) as ChanceState)
  for (const [i, often] of curveIn(before.table(), place)!.entries()) {
    expect(curveIn(after.table(), place)![i]).toBeCloseTo(often, 6)
  }
  expect(after.state()).toEqual(before.state())
  expect(text.length).toBeLessThan(1000)
})

test.each([
  ['a cell of another length', { cases: [1], came: [1] }],
  ['what is no count', { cases: chanceGrid.map(() => -1), came: chanceGrid.map(() => 1) }],
])('%s is forgotten', (_, cell) => {
  const curves = openChanceCurves({ hour: 1, cells: { 'model mem_used_pct': cell } })
  expect(curveIn(curves.table(), place)).toBeUndefined()
})

test('a chance of 0 teaches nothing: it stays 0 whatever is learnt', () => {
  const curves = openChanceCurves()
  curves.observe({ ...place, chance: 0, came: true, maturedAt: 0 })
  curves.observe({ ...place, chance: NaN, came: true, maturedAt: 0 })
  expect(curves.state().cells).toEqual({})
})
