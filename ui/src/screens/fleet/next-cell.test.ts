import { expect, test } from 'vitest'
import { nextCell } from './next-cell.ts'

// Two lines of three, then a line of one.
const boxes = () =>
  [0, 1, 2, 3, 4, 5, 6].map((i) => ({ left: (i % 3) * 10, top: Math.floor(i / 3) * 10 }))

test.each([
  ['ArrowRight', 0, 1],
  ['ArrowRight', 6, 6],
  ['ArrowLeft', 0, 0],
  ['ArrowDown', 1, 4],
  ['ArrowDown', 5, 6],
  ['ArrowDown', 6, 6],
  ['ArrowUp', 6, 3],
  ['ArrowUp', 2, 2],
  ['Home', 4, 0],
  ['End', 2, 6],
  ['Enter', 2, undefined],
])('%s from %i leads to %s', (key, from, to) => {
  expect(nextCell(key, from, boxes, 7)).toBe(to)
})
