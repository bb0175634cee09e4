import { expect, test } from 'vitest'
import { curvePath } from './curve-path.ts'

const box = { width: 100, height: 50, end: 10 }

test('falls from the top left to the bottom right', () => {
  expect(
    curvePath(
      [
        [0, 4],
        [10, 2],
      ],
      box,
    ),
  ).toBe('M0.0 4.0L100.0 46.0')
})

test('one point is seen, none is nothing', () => {
  expect(curvePath([[5, 1]], box)).toBe('M50.0 46.0h3')
  expect(curvePath([], box)).toBe('')
})
