import { expect, test } from 'vitest'
import { openStores } from './stores.ts'

const day = 24 * 3_600_000
const now = Date.UTC(2026, 2, 4, 12)
const quarterOf = (at: number) => at / (15 * 60_000)

test('what the feed looked like is read from an instant on, and kept until it is too old', () => {
  const { drift } = openStores(':memory:')
  for (const days of [400, 15, 13, 0]) drift.putHistory(quarterOf(now - days * day), `${days}`)
  const bodies = (from: number) => drift.history(from).map(({ body }) => body)
  expect(bodies(now - 14 * day)).toEqual(['13', '0'])
  drift.forgetBefore(now)
  expect(bodies(0)).toEqual(['15', '13', '0'])
})
