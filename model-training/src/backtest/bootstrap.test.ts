import { expect, test } from 'vitest'
import { ratioInterval, toSkill } from './bootstrap.ts'
import { emptyScore } from './score.ts'
import { horizons } from './slices.ts'
import { emptyTally, type Tally } from './tally.ts'

/** A contender whose servers have these losses on 100 of truth each, all in the first hour. */
function tally(losses: readonly number[]): Tally {
  const made = emptyTally()
  losses.forEach((pinball, server) => {
    const score = emptyScore()
    Object.assign(score.metrics[0]!, { pinball, truth: 100, points: 10, windows: 1 })
    made.scores[server * horizons.length] = score
  })
  return made
}

test('the ratio is that of the summed losses, whatever is drawn', () => {
  const found = ratioInterval([tally([1, 2, 3])], [tally([2, 4, 6])])!
  expect(found.figure).toBeCloseTo(0.5, 10)
  // Every server is twice as good: no drawing of servers says otherwise, which only a paired drawing knows.
  expect(found.low).toBeCloseTo(0.5, 10)
  expect(found.high).toBeCloseTo(0.5, 10)
  expect(toSkill(found).figure).toBeCloseTo(0.5, 10)
})

test('one lucky server of many is no skill', () => {
  const theirs = Array.from({ length: 20 }, () => 10)
  const lucky = theirs.map((loss, i) => (i === 0 ? 0 : loss + (i % 2 === 0 ? 1 : -1) * 0.4))
  const skill = toSkill(ratioInterval([tally(lucky)], [tally(theirs)])!)
  expect(skill.figure).toBeGreaterThan(0.04)
  expect(skill.low).toBeLessThan(0)
  const steady = toSkill(
    ratioInterval([tally(theirs.map((loss) => 0.95 * loss))], [tally(theirs)])!,
  )
  expect(steady.low).toBeGreaterThan(0.04)
})

test('equal seeds give equal intervals, others do not', () => {
  const ours = tally([1, 5, 2, 8, 3])
  const theirs = tally([2, 4, 4, 7, 5])
  const at = (seed: number) => ratioInterval([ours], [theirs], { seed, resamples: 200 })
  expect(at(7)).toEqual(at(7))
  expect(at(7)).not.toEqual(at(8))
})

test('of several seeds it is the mean, which is surer when they are drawn from many', () => {
  const theirs = tally([4, 4, 4, 4])
  const seeds = [2, 3, 4].map((loss) => tally([loss, loss, loss, loss]))
  const fixed = ratioInterval(seeds, [theirs])!
  expect(fixed.figure).toBeCloseTo(0.75, 10)
  expect(fixed.high - fixed.low).toBeCloseTo(0, 10)
  const drawn = ratioInterval(seeds, [theirs], { models: true })!
  expect(drawn.high - drawn.low).toBeGreaterThan(0.2)
})

test('of nothing there is no interval', () => {
  expect(ratioInterval([emptyTally()], [tally([1])])).toBeUndefined()
  expect(ratioInterval([tally([1])], [tally([0])])).toBeUndefined()
})
