import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lengthMissing } from '@harbinger/model-training/train/split-history'
import { type MetricName, metricIndex, metricNames } from '@harbinger/shared/metrics'
import { minuteCell } from '@harbinger/shared/window/series'
import type { Inventory } from '@harbinger/shared/sample'
import { openStores } from '../storage/stores.ts'
import { type OwnHistoryOptions, readOwnHistory } from './own-history.ts'

const hour = 60
const start = Date.UTC(2026, 2, 2) / 60_000

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-history-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const rollup = (of: Partial<Record<MetricName, number>>) => {
  const mean = new Float32Array(metricNames.length).fill(NaN)
  const count = new Uint16Array(metricNames.length)
  for (const [name, value] of Object.entries(of)) {
    mean[metricIndex[name as MetricName]] = value
    count[metricIndex[name as MetricName]] = 6
  }
  return { mean, max: mean, count }
}

type Given = { readonly simulated?: boolean; readonly hours?: number; readonly step?: number }

/** The stores stay open, as they are beside a live hub. */
function fill(servers: { readonly [name: string]: Given }) {
  const stores = openStores(folder)
  for (const [name, { simulated = false, hours = 40, step = 1 }] of Object.entries(servers)) {
    const server = stores.servers.register(name, 0)
    const inventory = { simulated, cores: 8, memoryBytes: 2 ** 34, profile: 'database' }
    stores.servers.setInventory(server, inventory as unknown as Inventory)
    stores.db.transaction(() => {
      for (let minute = start; minute < start + hours * hour; minute += step) {
        stores.rollups.putMinute(server.id, minute, rollup({ mem_used_pct: minute % 100 }))
      }
      const { mean, max } = rollup({ mem_used_pct: 50 })
      const known = new Uint8Array(metricNames.length).fill(15)
      for (let q = 1; q <= 96; q++) {
        stores.rollups.putQuarter(server.id, start / 15 - q, { mean, max, known })
      }
    })()
  }
  return stores
}

const read = (change: Partial<OwnHistoryOptions> = {}) =>
  readOwnHistory({
    ...{ folder, until: (start + 100 * hour) * 60_000, minuteDays: 14, simulated: false },
    ...change,
  })

test('reads minutes and the quarters before them, with profile and hardware, beside an open hub', () => {
  const stores = fill({ db1: {} })
  const history = read()
  stores.close()
  expect(history).toMatchObject({
    ...{ simulated: false, from: start * 60_000, to: (start + 40 * hour) * 60_000 },
    ...{ intervalMinutes: 1, metrics: ['mem_used_pct'] },
  })
  const [server] = history.servers
  expect(server).toMatchObject({ name: 'db1', profile: 'database', cores: 8, memoryBytes: 2 ** 34 })
  const { series } = server!
  const cell = minuteCell(series, start + 77) + metricIndex.mem_used_pct
  expect(series.mean[cell]).toBe((start + 77) % 100)
  expect(series.firstMinute).toBe(start - 24 * hour)
  expect(lengthMissing(history)).toBeUndefined()
})

test('leaves simulated servers out while there is a real one', () => {
  fill({ real: {}, made1: { simulated: true }, made2: { simulated: true } }).close()
  expect(read({ simulated: true }).servers.map(({ name }) => name)).toEqual(['real'])
})

test('takes simulated servers only where nothing else is and it is wanted, and says so', () => {
  fill({ made: { simulated: true } }).close()
  expect(() => read()).toThrow('all 1 servers')
  expect(read({ simulated: true })).toMatchObject({
    ...{ simulated: true, name: 'own history, simulated' },
  })
})

test('in the demo a real server of a few hours does not stand in the way of the simulated ones, and that is said', () => {
  fill({ real: { hours: 2 }, made: { simulated: true } }).close()
  const said: string[] = []
  const onWarning = (sentence: string) => void said.push(sentence)
  const history = read({ simulated: true, onWarning })
  expect(history.servers.map(({ name }) => name)).toEqual(['made'])
  expect(history.simulated).toBe(true)
  expect(said[0]).toMatch(/2\.0 h of history.*simulated servers are learnt from/)
  expect(lengthMissing(read())).toContain('2.0 h of history')
})

test('of too short a history says how many hours are missing', () => {
  fill({ db1: { hours: 18 } }).close()
  expect(lengthMissing(read())).toMatch(/18\.0 h of history, 36 h are needed .*: 18 h more$/)
})

test('reads nothing later than it is told, and knows the step of imported history', () => {
  fill({ db1: { step: 5 } }).close()
  const history = read({ until: (start + 20 * hour) * 60_000 })
  expect(history.to).toBe((start + 20 * hour) * 60_000)
  expect(history.intervalMinutes).toBe(5)
})

test('leaves servers out of a fleet that does not fit, and says how many', () => {
  fill({ a: {}, b: {}, c: {}, d: {} }).close()
  const said: string[] = []
  const onWarning = (sentence: string) => void said.push(sentence)
  const history = read({ maxMinutes: 2 * 40 * hour, onWarning })
  expect(history.servers.map(({ name }) => name)).toEqual(['a', 'c'])
  expect(said[0]).toContain('2 of them are learnt from')
})

test('says what is wrong with a store that is none, is damaged, or is not there', () => {
  expect(() => read()).toThrow(`no data of a hub in ${folder}`)
  writeFileSync(
    join(folder, 'harbinger.db'),
    'this is no database, it only looks long enough'.repeat(99),
  )
  expect(() => read()).toThrow(/cannot be read from .*harbinger\.db: file is not a database/)
  rmSync(join(folder, 'harbinger.db'))
  const stores = openStores(folder)
  stores.db.pragma('user_version = 3')
  stores.db.close()
  expect(() => read()).toThrow('start the hub once')
})
