import { expect, test } from 'vitest'
import { historyCellProblem, readHistoryHeader } from './history.ts'

test('a header says which metrics there are, and what is ignored', () => {
  expect(
    readHistoryHeader(['server', 'mem_used_pct', 'timestamp', 'colour', 'cpu_idle_pct', 'cores']),
  ).toEqual({
    metrics: ['mem_used_pct', 'cpu_idle_pct'],
    ignored: ['colour'],
    hasProfile: false,
    hasCores: true,
  })
})

test.each([
  [['server'], 'column timestamp is missing; found: server'],
  [['timestamp', 'mem_used_pct'], 'column server is missing'],
  [[], 'found: none'],
  [['timestamp', 'server', 'server'], 'column server stands there twice'],
])('a header %j is refused', (columns, message) => {
  expect(() => readHistoryHeader(columns)).toThrow(message)
})

test.each([
  ['timestamp', 0],
  ['timestamp', 1.7e12],
  ['server', 'ppdb001'],
  ['profile', null],
  ['profile', 'generic'],
  ['cores', undefined],
  ['cores', 64],
  ['mem_used_pct', null],
  ['mem_used_pct', 0],
  ['mem_used_pct', 100],
  ['load_average', 250],
  ['colour', 'blue'],
])('%s may be %j', (column, value) => {
  expect(historyCellProblem(column, value)).toBeUndefined()
})

test.each([
  ['timestamp', null, 'UTC time'],
  ['timestamp', NaN, 'UTC time'],
  ['timestamp', -1, 'UTC time'],
  ['server', null, '1–253 characters'],
  ['server', 'a b', '1–253 characters'],
  ['profile', 'mainframe', 'one of ml_compute'],
  ['cores', 0, 'whole number'],
  ['cores', 1.5, 'whole number'],
  ['mem_used_pct', 100.1, '0 to 100 %'],
  ['mem_used_pct', -1, '0 to 100 %'],
  ['mem_used_pct', '5', '0 to 100 %'],
  ['load_average', -1, 'at least 0 load'],
  ['net_in_mb_s', Infinity, 'at least 0 MB/s'],
])('%s may not be %j: expected %s', (column, value, expected) => {
  expect(historyCellProblem(column, value)).toContain(expected)
})
