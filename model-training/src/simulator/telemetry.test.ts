import { expect, test } from 'vitest'
import { checkSample } from '@harbinger/shared/sample'
import { simulatedFleet } from './fleet.ts'
import { telemetry, type Imperfections } from './telemetry.ts'

const startAt = Date.UTC(2026, 2, 4, 15)
const hourMs = 3_600_000

function anHour(imperfections: Partial<Imperfections> = {}) {
  const fleet = simulatedFleet({ seed: 1, servers: 30, startAt, faultsPerServerDay: 0 })
  const stream = telemetry(fleet, { seed: 9, startAt, imperfections })
  const deliveries = []
  for (let now = startAt; now <= startAt + hourMs; now += 10_000)
    deliveries.push(...stream.until(now))
  return deliveries
}

const perfect: Partial<Imperfections> = {
  ...{ jitterMs: 0, lost: 0, restartsPerHour: 0, breaksPerHour: 0 },
  ...{ duplicated: 0, skewed: 0, joining: 0, leaving: 0 },
}

test('without imperfections every sample arrives once, in order', () => {
  const deliveries = anHour(perfect)
  expect(deliveries.length).toBe(30 * 360)
  const first = deliveries.filter(({ index }) => index === 0).map(({ sample }) => sample.seq)
  expect(first).toEqual(first.map((_, i) => i))
})

test('the same seed delivers the same bytes, however often it is asked', () => {
  expect(JSON.stringify(anHour())).toBe(JSON.stringify(anHour()))
})

test('samples come late, twice or never, and all are of the contract', () => {
  const deliveries = anHour({
    lost: 0.02,
    breaksPerHour: 0.3,
    duplicated: 0.02,
    restartsPerHour: 0.3,
  })
  const keys = deliveries.map(({ server, sample }) => `${server} ${sample.seq}`)
  expect(keys.length).toBeGreaterThan(new Set(keys).size)
  expect(new Set(keys).size).toBeLessThan(30 * 361)
  expect(deliveries.some(({ arrivesAt, sample }) => arrivesAt - sample.at > 60_000)).toBe(true)
  for (const { sample, arrivesAt } of deliveries) {
    expect(checkSample(sample, arrivesAt)).toMatchObject({ unknownReadings: 0 })
  }
})

test('some clocks are wrong, and the same one every time', () => {
  const skews = new Map<string, Set<number>>()
  for (const { server, sample, arrivesAt } of anHour({ ...perfect, skewed: 0.5 })) {
    const skew = Math.round((sample.at - arrivesAt) / 1000)
    if (Math.abs(skew) > 2) skews.set(server, (skews.get(server) ?? new Set()).add(skew))
  }
  expect(skews.size).toBeGreaterThan(8)
  for (const seen of skews.values()) expect(seen.size).toBeLessThanOrEqual(2)
})

test('servers join and leave', () => {
  const deliveries = anHour({ ...perfect, joining: 0.3, leaving: 0.3, joinHours: 1 })
  const perServer = new Map<string, number>()
  for (const { server } of deliveries) perServer.set(server, (perServer.get(server) ?? 0) + 1)
  expect([...perServer.values()].filter((n) => n < 350).length).toBeGreaterThan(8)
})
