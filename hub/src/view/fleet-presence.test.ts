import { expect, test } from 'vitest'
import type { Server } from '../storage/server-store.ts'
import { fleetPresence } from './fleet-presence.ts'

const start = 100_000_000
const second = 1000

const server = (id: number, changes: Partial<Server> = {}): Server => ({
  ...{ id, name: `web${id}`, profile: 'generic', profileSource: 'default', simulated: false },
  ...{ tags: [], cores: 4, inventory: undefined, status: 'online', statusReason: undefined },
  ...{ statusAt: -1, unknownReadings: 0, firstSeen: 0, run: 0, decidedUpTo: 1, newestAt: 1 },
  ...{ lastArrivedAt: start - 5 * second, skewMs: 0, gaps: [10_000, 10_000, 10_000] },
  ...{ slowerUntil: undefined, retired: undefined, broughtBackAt: undefined },
  ...{ latest: undefined, ...changes },
})

test('a thousand that come back to a hub within 45 s are never offline', () => {
  // The hub was stopped for 10 minutes; each agent comes back at its own time.
  const fleet = Array.from({ length: 1_000 }, (_, i) =>
    server(i, { lastArrivedAt: start - 600 * second - (i % 10) * second }),
  )
  const words = new Map<string, number>()
  const presence = fleetPresence({
    servers: fleet,
    heardAt: (name) => words.get(name),
    hearingSince: () => start,
  })
  for (let at = start; at < start + 180 * second; at += second) {
    for (const one of fleet) {
      const back = start + (one.id / 1_000) * 45 * second
      if (at >= back) words.set(one.name, at - ((at - back) % (10 * second)))
      if (at >= back) one.lastArrivedAt = words.get(one.name)!
      expect(presence(one, at).state).not.toBe('offline')
    }
  }
})

test('who was gone before the hub stopped stays offline, until it speaks', () => {
  const gone = server(1, { lastArrivedAt: start - 900 * second })
  const words = new Map<string, number>()
  const presence = fleetPresence({
    servers: [gone, server(2)],
    heardAt: (name) => words.get(name),
    hearingSince: () => start,
  })
  expect(presence(gone, start + second)).toMatchObject({ state: 'offline', why: 'silent' })
  words.set('web1', start + 2 * second)
  gone.lastArrivedAt = start + 2 * second
  expect(presence(gone, start + 3 * second).state).toBe('heard')
})

test('a disk of the hub that takes nothing makes nobody offline', () => {
  const one = server(1)
  const presence = fleetPresence({
    servers: [one],
    // Heard, and never committed.
    heardAt: () => start + 299 * second,
    hearingSince: () => start - 3_600 * second,
  })
  expect(presence(one, start + 300 * second)).toMatchObject({ state: 'late', why: 'no_samples' })
})

test('a hub that finds its broker again brings nobody back who was offline', () => {
  const one = server(1)
  let since: number | undefined = start - 3_600 * second
  const presence = fleetPresence({
    servers: [one],
    heardAt: () => undefined,
    hearingSince: () => since,
  })
  expect(presence(one, start + 90 * second).state).toBe('offline')
  since = undefined
  expect(presence(one, start + 100 * second).state).toBe('offline')
  since = start + 110 * second
  expect(presence(one, start + 111 * second).state).toBe('offline')
})

test('a last will that comes after its agent is back says nothing', () => {
  const one = server(1, { status: 'offline', statusReason: 'connection lost', statusAt: start })
  const presence = fleetPresence({
    servers: [one],
    heardAt: () => start + 55 * second,
    hearingSince: () => start - 3_600 * second,
  })
  one.lastArrivedAt = start + 55 * second
  expect(presence(one, start + 60 * second).state).toBe('heard')
})
