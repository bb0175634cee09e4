import { expect, test } from 'vitest'
import { uptimeCollector } from './uptime.ts'

test('reports days with their fraction', () => {
  const uptime = uptimeCollector({ text: () => '129600.00 3.00\n' })
  expect(uptime.collect()).toEqual({ uptime_days: 1.5 })
})

test.each(['', 'long'])('refuses %j as an uptime', (text) => {
  expect(() => uptimeCollector({ text: () => text }).collect()).toThrow('/proc/uptime: expected')
})
