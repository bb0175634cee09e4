import { expect, test } from 'vitest'
import { loadCollector } from './load.ts'

test('reports the 1-minute load, not divided by cores', () => {
  const load = loadCollector({ text: () => '12.34 5.60 1.00 2/345 6789\n' })
  expect(load.collect()).toEqual({ load_average: 12.34 })
})

test.each(['', 'many', '-1 0 0'])('refuses %j as a load', (loadavg) => {
  expect(() => loadCollector({ text: () => loadavg }).collect()).toThrow('/proc/loadavg: expected')
})
