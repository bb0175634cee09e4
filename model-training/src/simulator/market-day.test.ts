import { expect, test } from 'vitest'
import { marketClock, newYorkOffsetHours, shapeAt } from './market-day.ts'

test.each([
  ['2026-03-08T06:59:59Z', -5],
  ['2026-03-08T07:00:00Z', -4],
  ['2026-11-01T05:59:59Z', -4],
  ['2026-11-01T06:00:00Z', -5],
])('New York is %s hours from UTC as its law says', (at, hours) => {
  expect(newYorkOffsetHours(Date.parse(at))).toBe(hours)
})

test('tells weekday, hour and the turn of the month', () => {
  const clock = marketClock(0)
  const at = (text: string) => ({ ...clock.timeAt(Date.parse(text)) })
  expect(at('2026-03-04T11:30:00Z')).toMatchObject({ weekday: 3, hour: 11.5, business: 1 })
  expect(at('2026-03-07T11:30:00Z')).toMatchObject({ weekday: 6, business: 0 })
  expect(at('2026-03-07T00:00:00Z').business).toBeCloseTo(0.5)
  const monthEnds = Array.from({ length: 31 }, (_, day) => day + 1).filter(
    (day) => at(`2026-03-${String(day).padStart(2, '0')}T12:00:00Z`).monthEnd,
  )
  expect(monthEnds).toEqual([2, 30, 31])
})

test('has no step at midnight, not even into a weekend', () => {
  const clock = marketClock(0)
  const friday = Date.parse('2026-03-06T22:00:00Z')
  let before = shapeAt('web_api', clock.timeAt(friday))
  for (let at = friday; at < friday + 4 * 3_600_000; at += 60_000) {
    const now = shapeAt('web_api', clock.timeAt(at))
    expect(Math.abs(now - before)).toBeLessThan(0.02)
    before = now
  }
})
