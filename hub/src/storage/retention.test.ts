import { beforeEach, expect, test } from 'vitest'
import { openStores } from './stores.ts'
import { defaultRetention, forgetOld } from './retention.ts'

const day = 86_400_000
const now = Date.UTC(2026, 2, 1)
const cells = () => ({
  mean: new Float32Array(14),
  max: new Float32Array(14),
  count: new Uint16Array(14),
})

let stores: ReturnType<typeof openStores>
beforeEach(() => {
  stores = openStores(':memory:')
})

const count = (table: string): number =>
  stores.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number

test('each tier forgets what is older than it keeps, a little at a time', () => {
  const { servers, samples, rollups, db } = stores
  const { id } = servers.register('a', 1)
  db.transaction(() => {
    for (let i = 0; i < 3000; i++) {
      const sample = { serverId: id, run: 0, seq: i, arrivedAt: 0, flags: 0, cores: 1 }
      samples.add({ ...sample, at: now - 2.5 * day + i * 60_000, readings: {} })
      rollups.putMinute(id, (now - 14.5 * day) / 60_000 + i, cells())
      const quarter = { ...cells(), known: new Uint8Array(14) }
      rollups.putQuarter(id, (now - 401 * day) / 900_000 + i, quarter)
    }
  })()
  const steps = [
    ...forgetOld(
      { samples, rollups },
      { servers: servers.all(), now, retention: defaultRetention },
    ),
  ]
  expect(count('samples')).toBe(3000 - 720)
  expect(count('minutes')).toBe(3000 - 720)
  expect(count('quarters')).toBe(3000 - 96)
  expect(Math.max(...steps)).toBeLessThanOrEqual(360)
  const again = forgetOld(
    { samples, rollups },
    { servers: servers.all(), now, retention: defaultRetention },
  )
  expect([...again]).toEqual([])
})
