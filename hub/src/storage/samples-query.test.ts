import { beforeEach, expect, test } from 'vitest'
import { metricNames } from '@harbinger/shared/metrics'
import { historyImporter } from './import-history.ts'
import { defaultRetention } from './retention.ts'
import { chooseStep, chooseTier, maxPoints, samplesQuery } from './samples-query.ts'
import { openStores } from './stores.ts'

const minute = 60_000
const day = 24 * 60 * minute
const now = Date.UTC(2026, 2, 1, 12)

let stores: ReturnType<typeof openStores>
beforeEach(() => {
  stores = openStores(':memory:')
})

test.each([
  [{ from: 0, to: 3_600_000 }, 2],
  [{ from: 0, to: 3_600_000, stepSeconds: 60 }, 60],
  [{ from: 0, to: day }, 60],
  [{ from: 0, to: 30 * day }, 1800],
  [{ from: 0, to: 400 * day, stepSeconds: 1 }, 21_600],
])('a span of %o is shown in steps of %i s', (range, step) => {
  expect(chooseStep(range)).toBe(step)
  expect((range.to - range.from) / 1000 / step).toBeLessThanOrEqual(maxPoints)
})

test.each([
  [{ from: now - 3_600_000, stepSeconds: 10 }, 'raw'],
  [{ from: now - 3 * day, stepSeconds: 10 }, 'minute'],
  [{ from: now - day, stepSeconds: 60 }, 'minute'],
  [{ from: now - 20 * day, stepSeconds: 60 }, 'quarter'],
  [{ from: now - day, stepSeconds: 900 }, 'quarter'],
] as const)('%o is read from the %s tier', (asked, tier) => {
  expect(chooseTier(asked, { now, retention: defaultRetention })).toBe(tier)
})

/** Eight days in steps of a minute, memory counting up within each quarter; disk is never measured. */
function eightDays() {
  const importer = historyImporter(stores, { now, retention: defaultRetention })
  const values = new Float32Array(14).fill(NaN)
  for (let at = now - 8 * day; at < now; at += minute) {
    values[metricNames.indexOf('mem_used_pct')] = (at / minute) % 15
    importer.add({ server: 'a', at, values, profile: 'database', cores: 8 })
  }
  importer.finish()
  return stores.servers.find('a')!
}

test('mean and max come from the tier that fits, and what was not measured has no column', () => {
  const server = eightDays()
  const query = samplesQuery(stores, defaultRetention)
  const quarters = query(server, { from: now - 8 * day, to: now, stepSeconds: 900 }, now)
  expect(quarters).toMatchObject({ tier: 'quarter', stepSeconds: 900, server: 'a' })
  expect(quarters.at).toHaveLength(8 * 96)
  expect(quarters.metrics.mem_used_pct!.mean[5]).toBe(7)
  expect(quarters.metrics.mem_used_pct!.max[5]).toBe(14)
  expect(Object.keys(quarters.metrics)).toEqual(['mem_used_pct'])

  const minutes = query(server, { from: now - day, to: now }, now)
  expect(minutes).toMatchObject({ tier: 'minute', stepSeconds: 60 })
  expect(minutes.at).toHaveLength(1440)

  const raw = query(server, { from: now - 30 * minute, to: now, stepSeconds: 5 }, now)
  expect(raw.tier).toBe('raw')
  expect(raw.at).toHaveLength(30)
})

test('an hour without samples is left out, not drawn as 0', () => {
  const server = eightDays()
  const query = samplesQuery(stores, defaultRetention)
  const ahead = query(
    server,
    { from: now - 5 * minute, to: now + 60 * minute, stepSeconds: 60 },
    now,
  )
  expect(ahead.at).toHaveLength(5)
})

test('an import is a profile, cores, samples and rollups; taken twice it is taken once', () => {
  eightDays()
  const before = tables()
  const server = eightDays()
  expect(tables()).toEqual(before)
  expect(server).toMatchObject({ profile: 'database', profileSource: 'agent', cores: 8 })
  expect(server.latest?.readings).toEqual({ mem_used_pct: 14 })
  expect(before).toEqual({ samples: 2880, minutes: 8 * 1440, quarters: 8 * 96 })
})

test('rows in any order make the same rollups', () => {
  const importer = historyImporter(stores, { now, retention: defaultRetention })
  const values = new Float32Array(14).fill(NaN)
  const times = [5, 0, 1, 20, 1.5, 6, 16].map((m) => now - day + m * minute)
  for (const [i, at] of times.entries()) {
    values[5] = i
    importer.add({ server: 'a', at, values })
  }
  importer.finish()
  const { id } = stores.servers.find('a')!
  const found: [number, number, number][] = []
  stores.rollups.eachQuarter(id, { from: 0, to: 1e9 }, (quarter, { mean, known }) =>
    found.push([quarter - (now - day) / 900_000, mean[5]!, known[5]!]),
  )
  // Minutes 0, 1 (samples 2 and 4), 5 and 6; then 16 and 20.
  expect(found).toEqual([
    [1, 4.5, 2],
    [0, (1 + 3 + 0 + 5) / 4, 4],
  ])
})

const tables = () =>
  Object.fromEntries(
    ['samples', 'minutes', 'quarters'].map((table) => [
      table,
      stores.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get(),
    ]),
  )
