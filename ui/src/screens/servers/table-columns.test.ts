import type { ServerSummary } from '@harbinger/shared/api'
import { expect, test } from 'vitest'
import { numberColumns, parseSort, sorted, trendOf } from './table-columns.ts'

const row = (name: string, cpuUsed: number | null, next: number | null = null) =>
  ({ name, cpuUsed, cpuUsedIn30Minutes: next, metrics: {}, cores: 4, risk: 1 }) as ServerSummary
const names = (rows: ServerSummary[]) => rows.map(({ name }) => name).join(' ')

test('unknown stands last whichever way the column is sorted', () => {
  const rows = [row('a', null), row('b', 5), row('c', 9)]
  expect(names(sorted(rows, parseSort('cpu_used')))).toBe('b c a')
  expect(names(sorted(rows, parseSort('-cpu_used')))).toBe('c b a')
})

test('names are in the order of their numbers', () => {
  const rows = [row('db10', 1), row('db9', 1)]
  expect(names(sorted(rows, parseSort('name')))).toBe('db9 db10')
})

test('a small change is steady, and no forecast is no trend', () => {
  const cpu = numberColumns[0]!
  expect(trendOf(cpu, row('a', 50, 50.4))).toBe('steady')
  expect(trendOf(cpu, row('a', 50, 60))).toBe('rising')
  expect(trendOf(cpu, row('a', 50, 40))).toBe('falling')
  expect(trendOf(cpu, row('a', 50))).toBeNull()
})
