import { expect, test } from 'vitest'
import { ownThresholds } from './own-thresholds.ts'

const hundred = Array.from({ length: 1001 }, (_, i) => i / 10)

test('a server reaches its thresholds in one reading of ten, twenty and fifty', () => {
  expect(ownThresholds('mem_used_pct', hundred)).toEqual([90, 95, 98])
})

test('of idle the bad side is down', () => {
  const [tenth, twentieth, fiftieth] = ownThresholds('cpu_idle_pct', hundred)
  expect(tenth).toBeCloseTo(10)
  expect(twentieth).toBeCloseTo(5)
  expect(fiftieth).toBeCloseTo(2)
})

test.each([
  ['hardly moves', Array.from({ length: 1000 }, (_, i) => (i === 0 ? 9 : 1))],
  ['was measured for less than sixteen hours', hundred.slice(0, 199)],
  ['was not measured', []],
])('there is none of a metric that %s', (_, readings) => {
  expect(ownThresholds('swap_used_pct', readings)).toEqual([])
})
