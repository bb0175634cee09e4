import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { describe, expect, test } from 'vitest'
import { maxIntervalRules } from '@harbinger/shared/intervals-api'
import type { Profile } from '@harbinger/shared/profiles'
import { wireMeter } from '../ingest/wire-meter.ts'
import { openStores } from '../storage/stores.ts'
import { intervalRoom } from './intervals.ts'

const at = 1_767_225_600_000

/** A hub's rules over a real database, with a broker that notes what it is to retain. */
function open(folder = ':memory:') {
  const stores = openStores(folder)
  const said: [string, number | null][] = []
  const retained = new Map<string, number>()
  const link = { up: true }
  const time = { now: at }
  const wire = wireMeter(() => time.now)
  const room = intervalRoom({
    ...{ store: stores.intervalRules, servers: stores.servers.all, wire: () => wire },
    ...{ now: () => time.now, log: { info: () => {} } },
    tell(server, seconds) {
      if (!link.up) return false
      said.push([server, seconds])
      if (seconds === null) retained.delete(server)
      else retained.set(server, seconds)
      return true
    },
  })
  const enrol = (name: string, more: { tags?: string[]; profile?: Profile; own?: number } = {}) => {
    const server = stores.servers.register(name, at)
    const { own, ...inventory } = more
    const interval = own && ({ seconds: own, own, from: 'own' } as const)
    stores.servers.setInventory(server, {
      ...{ agentVersion: '0.1.0', ...inventory },
      ...(interval && { interval }),
    })
    room.follow([server])
    return server
  }
  return { stores, room, said, retained, link, join: enrol, time, wire, ...room.sources }
}

const tag = (target: string, seconds: number) => ({ kind: 'tag', target, seconds }) as const

describe('what agents are told', () => {
  test('nothing, while no rule is for them', () => {
    const { join, said } = open()
    join('db1')
    expect(said).toEqual([])
  })

  test('changes with the rules, once each time, and is taken back with the last', () => {
    const { join, said, setInterval, removeInterval } = open()
    const db1 = { kind: 'server', target: 'DB1' } as const
    join('db1', { tags: ['oracle'] })
    join('web1')
    setInterval(tag('oracle', 60), 'ada')
    setInterval(tag('oracle', 60), 'ada')
    setInterval({ ...db1, seconds: 5 }, 'ada')
    setInterval(tag('oracle', 120), 'ada')
    removeInterval(db1)
    removeInterval({ kind: 'tag', target: 'oracle' })
    expect(said).toEqual([
      ...[
        ['db1', 60],
        ['db1', 5],
        ['db1', 120],
      ],
      ['db1', null],
    ])
    expect(removeInterval(db1)).toBeUndefined()
  })

  test('is told to a server when it is first seen, and when its tags or its profile change', () => {
    const { join, said, room, stores, setInterval } = open()
    setInterval(tag('oracle', 60), 'ada')
    setInterval({ kind: 'profile', target: 'database', seconds: 30 }, 'ada')
    const server = join('x1', { tags: ['oracle'] })
    stores.servers.setInventory(server, { agentVersion: '0.1.0', tags: [] })
    room.follow([server])
    stores.servers.setOperatorProfile(server, 'database')
    room.followAll()
    expect(said).toEqual([
      ...[
        ['x1', 60],
        ['x1', null],
      ],
      ['x1', 30],
    ])
  })

  test('is taken back from a server that left the fleet', () => {
    const { join, retained, room, stores, setInterval } = open()
    const server = join('db1', { tags: ['oracle'] })
    setInterval(tag('oracle', 60), 'ada')
    stores.servers.forget(server)
    room.followAll()
    expect([...retained]).toEqual([])
  })

  test('waits while the broker is away, and is told anew when it is back, what is taken back too', () => {
    const { join, retained, link, room, setInterval, removeInterval, said } = open()
    join('db1', { tags: ['oracle'] })
    join('db2', { tags: ['db2'] })
    setInterval(tag('oracle', 60), 'ada')
    link.up = false
    removeInterval({ kind: 'tag', target: 'oracle' })
    setInterval(tag('db2', 5), 'ada')
    expect(retained).toEqual(new Map([['db1', 60]]))
    link.up = true
    room.tellAgain({ takeBack: true })
    expect(retained).toEqual(new Map([['db2', 5]]))
    said.length = 0
    room.tellAgain({ takeBack: false })
    expect(said).toEqual([['db2', 5]])
  })
})

describe('rules', () => {
  test('say for whom they are, whom they decide, and who has not followed yet', () => {
    const { join, intervals, setInterval, stores } = open()
    join('db1', { tags: ['oracle', 'berlin'], own: 10 })
    const db2 = join('db2', { tags: ['oracle'], own: 10 })
    join('web1', {})
    setInterval(tag('oracle', 60), 'ada')
    setInterval(tag('berlin', 20), 'bob')
    setInterval({ kind: 'server', target: 'gone', seconds: 5 }, 'ada')
    const interval = { seconds: 60, own: 10, from: 'hub' } as const
    stores.servers.setInventory(db2, { agentVersion: '0.1.0', tags: ['oracle'], interval })
    expect(intervals()).toMatchObject({
      rules: [
        { kind: 'server', target: 'gone', servers: 0, decides: 0, pending: 0 },
        { target: 'berlin', servers: 1, decides: 1, pending: 1, setBy: 'bob' },
        { target: 'oracle', servers: 2, decides: 1, pending: 0, setAt: '2026-01-01T00:00:00.000Z' },
      ],
      withoutRule: 1,
    })
  })

  test('outlive the hub, and those that the command line writes are seen', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'harbinger-intervals-'))
    const hub = open(folder)
    hub.join('db1', { profile: 'database' })
    const command = openStores(folder)
    command.intervalRules.put({
      ...{ kind: 'profile', target: 'database', seconds: 30, setAt: at, setBy: 'root' },
    })
    command.close()
    hub.room.refresh()
    expect(hub.retained.get('db1')).toBe(30)
    hub.stores.close()
    const next = open(folder)
    next.room.tellAgain({ takeBack: false })
    expect(next.said).toEqual([['db1', 30]])
    next.stores.close()
    rmSync(folder, { recursive: true })
  })
})

test('there are only so many rules, and one that is there can still be changed', () => {
  const { setInterval } = open()
  for (let i = 0; i < maxIntervalRules; i++) setInterval(tag(`t${i}`, 10), 'ada')
  expect(setInterval(tag('more', 10), 'ada')).toEqual({
    refused: expect.stringContaining('use a tag or a profile'),
  })
  expect(setInterval(tag('t5', 20), 'ada')).toMatchObject({ seconds: 20 })
})

describe('an estimate', () => {
  const measure = (wire: ReturnType<typeof wireMeter>, name: string) => {
    for (let i = 0; i < 10; i++) wire.sample(name, 240, 0)
  }
  const perSample = 2 + 1 + 2 + 'harbinger/v1/db1/samples'.length + 2 + 240 + 4

  test('is of the measured servers alone, and says of how many', () => {
    const { join, estimateInterval, wire, time } = open()
    join('db1', { tags: ['oracle'], own: 10 })
    join('db2', { tags: ['oracle'], own: 10 })
    measure(wire, 'db1')
    time.now += 90_000
    expect(estimateInterval(tag('oracle', 1))).toEqual({
      ...{ servers: 2, decidedByOthers: 0, touched: 2, measured: 1, minutes: 1.5 },
      bytesPerDay: { now: 8_640 * perSample, then: 86_400 * perSample },
      included: expect.stringContaining('not counted are TLS, TCP and IP headers'),
    })
  })

  test('is unknown where nothing is measured', () => {
    const { join, estimateInterval } = open()
    join('db1', { tags: ['oracle'], own: 10 })
    expect(estimateInterval(tag('oracle', 1))).toMatchObject({ touched: 1, bytesPerDay: null })
    expect(estimateInterval(tag('paris', 1))).toMatchObject({ servers: 0, bytesPerDay: null })
  })

  test('leaves out servers that another rule decides', () => {
    const { join, estimateInterval, setInterval } = open()
    join('db1', { tags: ['oracle', 'berlin'], own: 10 })
    setInterval(tag('berlin', 5), 'ada')
    const both = { servers: 1, touched: 0, decidedByOthers: 1 }
    expect(estimateInterval(tag('oracle', 60))).toMatchObject(both)
    // The shorter one of two tags decides.
    expect(estimateInterval(tag('oracle', 2))).toMatchObject({ touched: 1, decidedByOthers: 0 })
  })

  test('of a removal is what the next rule, or the agent itself, makes of it', () => {
    const { join, estimateInterval, setInterval, wire, stores } = open()
    const server = join('db1', { tags: ['oracle'], profile: 'database', own: 20 })
    setInterval(tag('oracle', 60), 'ada')
    const interval = { seconds: 60, own: 20, from: 'hub' } as const
    const inventory = { agentVersion: '0.1.0', tags: ['oracle'], profile: 'database' }
    stores.servers.setInventory(server, { ...inventory, interval })
    measure(wire, 'db1')
    const removed = { kind: 'tag', target: 'oracle' } as const
    expect(estimateInterval(removed).bytesPerDay).toEqual({
      ...{ now: 1_440 * perSample, then: 4_320 * perSample },
    })
    setInterval({ kind: 'profile', target: 'database', seconds: 5 }, 'ada')
    expect(estimateInterval(removed).bytesPerDay?.then).toBe(17_280 * perSample)
  })

  test('is unknown of an agent that does not say what it would do by itself', () => {
    const { join, estimateInterval, setInterval, wire } = open()
    join('db1', { tags: ['oracle'] })
    setInterval(tag('oracle', 60), 'ada')
    measure(wire, 'db1')
    expect(estimateInterval({ kind: 'tag', target: 'oracle' })).toMatchObject({
      ...{ touched: 1, measured: 0, bytesPerDay: null },
    })
  })
})

test('a server knows its interval and the rule that asks for it', () => {
  const { join, room, setInterval } = open()
  const server = join('db1', { tags: ['oracle'], own: 15 })
  expect(room.of(server)).toEqual({ seconds: 15, from: 'own', own: 15, rule: null })
  setInterval(tag('oracle', 60), 'ada')
  expect(room.of(server).rule).toEqual({ kind: 'tag', target: 'oracle', seconds: 60 })
  expect(room.of(join('old'))).toMatchObject({ from: 'measured', own: null })
})
