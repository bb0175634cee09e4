import { expect, test } from 'vitest'
import { toInstant } from './instant.ts'

const at = Date.UTC(2025, 0, 6, 12, 30)

test.each([
  ['2025-01-06T12:30:00Z'],
  ['2025-01-06T12:30Z'],
  ['2025-01-06 12:30:00'],
  ['2025-01-06T12:30:00.000'],
  ['2025-01-06T13:30:00+01:00'],
  ['2025-01-06 13:30:00+01:00'],
  [at],
  [BigInt(at)],
  [String(at)],
  [new Date(at)],
])('%s is that instant', (cell) => {
  expect(toInstant(cell)).toBe(at)
})

test('a day alone is its midnight', () => {
  expect(toInstant('2025-01-06')).toBe(Date.UTC(2025, 0, 6))
})

test.each([
  ['06.01.2025'],
  ['2025-13-01T00:00:00Z'],
  ['12:30'],
  [1736166600],
  [NaN],
  [null],
  [true],
  [''],
])('%s is no time', (cell) => {
  expect(toInstant(cell)).toBeUndefined()
})
