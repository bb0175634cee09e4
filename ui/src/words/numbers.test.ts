import { expect, test } from 'vitest'
import { age, chance, count, distance, percent, reading, risk, span } from './numbers.ts'

test('percentages have one decimal and counts none', () => {
  expect(percent(62.149)).toBe('62.1\u00a0%')
  expect(count(1234.4)).toBe('1,234')
  expect(reading(3.2, 'sockets')).toBe('3')
  expect(reading(0.256, 'load')).toBe('0.26')
})

test('a distance of percentages is in points, and a small one is not 0', () => {
  expect(distance(14.24, '%')).toBe('14.2\u00a0points')
  expect(distance(0.0042, '%')).toBe('0.004\u00a0points')
  expect(distance(0, 'load')).toBe('0.0')
  expect(distance(3, 'MB/s')).toBe('3.0\u00a0MB/s')
})

test.each([null, undefined, Number.NaN])('%s is unknown and never 0', (value) => {
  expect(percent(value)).toBe('unknown')
  expect(risk(value)).toBe('unknown')
  expect(reading(value, 'MB/s')).toBe('unknown')
  expect(chance(value)).toBe('not known yet')
})

test('a chance is never said to be nothing or certain', () => {
  expect([0, 0.004, 0.5, 0.996, 1].map(chance)).toEqual([
    'under 2\u00a0%',
    'under 2\u00a0%',
    '50\u00a0%',
    'over 98\u00a0%',
    'over 98\u00a0%',
  ])
})

test('spans read as a person says them', () => {
  expect([0, 45, 60, 135, 480, 4320].map(span)).toEqual([
    'under a minute',
    '45 min',
    '1 h',
    '2 h 15 min',
    '8 h',
    '3 days',
  ])
})

test('ages grow from seconds to days', () => {
  const now = 1_767_225_600_000
  expect([0, 30, 120, 7200, 300_000].map((seconds) => age(now - seconds * 1000, now))).toEqual([
    '0 s ago',
    '30 s ago',
    '2 min ago',
    '2 h ago',
    '3 days ago',
  ])
  expect(age(null, now)).toBe('never')
  expect(age(now + 5000, now)).toBe('0 s ago')
})
