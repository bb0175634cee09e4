import { chanceGrid } from '@harbinger/shared/forecast/chance'
import { expect, test } from 'vitest'
import { isotonic } from './isotonic.ts'

/** Cases in which what was said with chance p came with chance worth(p), spread evenly. */
function cases(worth: (said: number) => number, n = 20_000) {
  const said = Array.from({ length: n }, (_, i) => (i + 0.5) / n)
  let owed = 0
  const came = said.map((p) => {
    owed += worth(p)
    if (owed < 1) return 0
    owed -= 1
    return 1
  })
  return { said, came }
}

test('finds what a chance is worth', () => {
  const curve = isotonic(cases((p) => p ** 2))!
  chanceGrid.forEach((p, i) => expect(curve[i]).toBeCloseTo(p ** 2, 1))
})

test('never falls, also where the cases do', () => {
  const curve = isotonic(cases((p) => (p > 0.4 && p < 0.6 ? 0.1 : p)))!
  curve.forEach((worth, i) => expect(worth).toBeGreaterThanOrEqual(curve[i - 1] ?? 0))
  // What fell is pooled with what stood before it.
  expect(curve[5]).toBeCloseTo(curve[6]!, 2)
})

test('says nothing from a few cases', () => {
  expect(isotonic(cases((p) => p, 500))).toBeUndefined()
})
