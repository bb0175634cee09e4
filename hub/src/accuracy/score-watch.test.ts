import { describe, expect, test } from 'vitest'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { binomialTail, blockMaxima, returnLevel } from './return-level.ts'
import { ratioBounds } from './block-bootstrap.ts'
import { scoreDrifts } from './score-watch.ts'
import { emptyHour, emptySums, fields, type Field, type HourSums } from './sums.ts'

/** Noise that lasts a few hours, the same for the same seed. */
function noise(seed: number): () => number {
  let state = seed
  let level = 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    level = 0.7 * level + (state / 2 ** 32 - 0.5)
    return level
  }
}

type Hour = {
  readonly skill: number
  readonly coverage: number
  readonly baselineCoverage?: number
}

/** Seven days of scored hours of one metric, each with 100 points. */
function weekOf(seed: number, hourAt: (hour: number) => Hour): HourSums[] {
  const [load, luck] = [noise(seed), noise(seed + 77)]
  return Array.from({ length: 168 }, (_, h) => {
    const { skill, coverage, baselineCoverage = 0.8 } = hourAt(h)
    const sums = emptySums()
    const set = (field: Field, value: number): void => void (sums[fields.indexOf(field)] = value)
    const baseline = 50 + 20 * load()
    set('points', 100)
    set('truth', 1000)
    set('baselinePinball0', baseline)
    set('pinball', baseline * (1 - skill + 0.1 * luck()))
    set('covered', Math.min(100, 100 * coverage + 4 * luck()))
    set('baselineCovered', 100 * baselineCoverage)
    const hour = emptyHour()
    hour.cells.set(`source|model:m|${networkMetricNames[5]}`, sums)
    return hour
  })
}
const judge = (hours: HourSums[]) =>
  scoreDrifts({ last: (_at, count) => hours.slice(-count) }, { model: 'm', at: 0 })

describe('skill and coverage', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('that stay are not flagged, seed %i', (seed) => {
    const judged = judge(weekOf(seed, () => ({ skill: 0.08, coverage: 0.8 })))
    expect(judged).toEqual({ found: [], watched: 1, learning: networkMetricNames.length - 1 })
  })

  test('a band that never held is not news, a model on a par with the baseline is no drift', () => {
    expect(judge(weekOf(1, () => ({ skill: 0.08, coverage: 0.7 }))).found).toEqual([])
    expect(judge(weekOf(2, () => ({ skill: 0, coverage: 0.8 }))).found).toEqual([])
  })

  test('a day on which the baseline was better is flagged, and the baseline serves', () => {
    const { found } = judge(weekOf(3, (h) => ({ skill: h >= 144 ? -0.3 : 0.08, coverage: 0.8 })))
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ signal: 'skill', metric: 'mem_used_pct', fallsBack: true })
    expect(found[0]!.detail).toMatch(
      /Memory: over the last day .* (2|3)\d % worse than the baseline/,
    )
  })

  test.each([
    [0.8, true],
    [0.3, false],
  ])(
    'a band that holds less than before is flagged; where the baseline holds %d, falling back is %s',
    (baselineCoverage, fallsBack) => {
      const { found } = judge(
        weekOf(4, (h) => ({ skill: 0.08, coverage: h >= 144 ? 0.5 : 0.8, baselineCoverage })),
      )
      expect(found).toHaveLength(1)
      expect(found[0]).toMatchObject({ signal: 'coverage', fallsBack })
      expect(found[0]!.detail).toContain('held 50 % of what came, in the days before 80 %')
    },
  )

  test('less than a day of scores is not judged', () => {
    expect(judge(weekOf(5, () => ({ skill: -1, coverage: 0 })).slice(-19)).watched).toBe(0)
  })
})

test('the level that maxima exceed once in so long is where exponential maxima put it', () => {
  // Quantiles of an exponential with scale 0.2 above 0.5.
  const maxima = Array.from({ length: 400 }, (_, i) => 0.5 - 0.2 * Math.log((i + 0.5) / 400))
  const level = returnLevel(maxima, 10)!
  const exact = 0.5 + 0.2 * Math.log(10 * 1461)
  expect(level).toBeGreaterThan(exact)
  expect(level).toBeLessThan(1.25 * exact)
  expect(returnLevel(maxima.slice(0, 27), 10)).toBeUndefined()
  expect(blockMaxima([...Array<number>(24).fill(0.1), ...Array<number>(23).fill(NaN), 3])).toEqual([
    0.1,
  ])
})

test('the binomial tail is exact', () => {
  expect(binomialTail(0, 5, 0.3)).toBeCloseTo(1, 12)
  expect(binomialTail(5, 5, 0.3)).toBeCloseTo(0.3 ** 5, 12)
  expect(binomialTail(3, 4, 0.5)).toBeCloseTo(5 / 16, 12)
})

test('the bounds of a ratio hold it, and narrow with more hours', () => {
  const random = noise(9)
  const hours = Array.from({ length: 400 }, () => ({ above: 0.5 + 0.2 * random(), below: 1 }))
  const few = ratioBounds(hours.slice(0, 24))!
  const many = ratioBounds(hours)!
  expect(few.low).toBeLessThan(0.5)
  expect(many.high).toBeGreaterThan(0.5)
  expect(many.high - many.low).toBeLessThan(0.5 * (few.high - few.low))
})
