import { describe, expect, test } from 'vitest'
import { cpuUsed, type Readings } from '@harbinger/shared/metrics'
import { type Fault, simulatedFleet } from './fleet.ts'
import { faultKinds, severityOfFault } from './faults.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const startAt = Date.UTC(2026, 2, 4, 5)

const troubled = (options: { heldOutFaults?: boolean; faultsPerServerDay?: number } = {}) => {
  const fleet = simulatedFleet({ seed: 3, servers: 90, startAt, faultsPerServerDay: 1, ...options })
  fleet.readingsAt(0, startAt + 7 * dayMs)
  return fleet
}

const percentages = (readings: Readings): readonly number[] => [
  cpuUsed(readings)!,
  readings.cpu_iowait_pct!,
  readings.mem_used_pct!,
  readings.swap_used_pct!,
  readings.disk_usage_pct!,
]

describe('a fault', () => {
  const faults = troubled().faults()

  test('has every kind there is to train on', () => {
    const seen = new Set(faults.map(({ kind }) => kind))
    const heldOut = ['lock_contention', 'interrupt_storm', 'double_leak']
    expect([...seen].sort()).toEqual(faultKinds.filter((kind) => !heldOut.includes(kind)).sort())
  })

  test('takes minutes from its first sign to its peak, and minutes to recover', () => {
    for (const { onset, peak, relief, end } of faults) {
      expect(peak - onset).toBeGreaterThanOrEqual(4 * minuteMs)
      expect(relief).toBeGreaterThan(peak)
      expect(end - relief).toBeGreaterThanOrEqual(3 * minuteMs)
    }
  })

  test('is fully there at its peak and gone at its end, whatever its course', () => {
    for (const fault of [...faults, ...troubled({ heldOutFaults: true }).faults()]) {
      expect(severityOfFault(fault, fault.onset)).toBeCloseTo(0)
      expect(severityOfFault(fault, fault.peak)).toBeCloseTo(1)
      expect(severityOfFault(fault, fault.end)).toBe(0)
      expect(severityOfFault(fault, (fault.onset + fault.peak) / 2)).toBeGreaterThan(0)
    }
  })

  test('never moves a reading by a cliff from one sample to the next', () => {
    const well = simulatedFleet({ seed: 3, servers: 90, startAt, faultsPerServerDay: 0 })
    const ill = troubled({ faultsPerServerDay: 0.05 })
    const byKind = new Map<string, Fault>()
    for (const fault of ill.faults()) {
      if (fault.peak - fault.onset < 60 * minuteMs) byKind.set(fault.kind, fault)
    }
    expect(byKind.size).toBeGreaterThan(4)
    for (const { index, onset, peak, kind } of byKind.values()) {
      let before: readonly number[] | undefined
      for (let at = onset - minuteMs; at < peak; at += 10_000) {
        const [a, b] = [ill.readingsAt(index, at), well.readingsAt(index, at)]
        if (!a || !b) continue
        const healthy = percentages(b)
        const now = percentages(a).map((value, k) => value - healthy[k]!)
        const step = before ? Math.max(...now.map((x, k) => Math.abs(x - before![k]!))) : 0
        expect(step, kind).toBeLessThan(15)
        before = now
      }
    }
  })
})

describe('trouble', () => {
  test('comes as often as asked, and most of it to one server in ten', () => {
    const fleet = simulatedFleet({ seed: 5, servers: 200, startAt, faultsPerServerDay: 0.5 })
    fleet.readingsAt(0, startAt + 20 * dayMs)
    const own = fleet.faults().filter(({ cascadeOf, onset }) => !cascadeOf && onset >= startAt)
    expect(own.length / (200 * 20)).toBeCloseTo(0.5, 1)
    const perServer = new Array<number>(200).fill(0)
    for (const { index } of own) perServer[index] = perServer[index]! + 1
    const worst = [...perServer].sort((a, b) => b - a).slice(0, 20)
    expect(worst.reduce((sum, n) => sum + n, 0) / own.length).toBeGreaterThan(0.45)
  })

  test('does not come when none is asked for', () => {
    expect(troubled({ faultsPerServerDay: 0 }).faults()).toEqual([])
  })

  test('held out from training shows shapes that training never does', () => {
    const courses = (heldOutFaults: boolean) =>
      new Set(
        troubled({ heldOutFaults })
          .faults()
          .filter(({ cascadeOf }) => !cascadeOf)
          .map(({ course }) => course),
      )
    const [training, heldOut] = [courses(false), courses(true)]
    expect([...heldOut].filter((course) => training.has(course))).toEqual([])
    expect(
      troubled({ heldOutFaults: true })
        .faults()
        .every((fault) => fault.heldOut),
    ).toBe(true)
  })
})

describe('a cascade', () => {
  const fleet = simulatedFleet({ seed: 3, servers: 90, startAt, faultsPerServerDay: 0.1 })
  fleet.readingsAt(0, startAt + 30 * dayMs)
  const faults = fleet.faults()
  const spreading = ['io_saturation', 'pool_exhaustion', 'silent_death']
  const followers = faults.filter(({ cascadeOf }) => cascadeOf)

  test('begins at a database and reaches those that need it minutes later', () => {
    expect(followers.length).toBeGreaterThan(20)
    for (const { cascadeOf, onset, index } of followers) {
      const origins = faults.filter(
        ({ server, kind }) => server === cascadeOf && spreading.includes(kind),
      )
      const delays = origins.map((origin) => onset - origin.onset).filter((ms) => ms > 0)
      expect(Math.min(...delays)).toBeGreaterThan(minuteMs)
      expect(fleet.servers[index]!.profile).not.toBe('database')
    }
  })

  test('follows the dependencies', () => {
    const place = new Map(fleet.servers.map(({ name }, i) => [name, i]))
    for (const { cascadeOf, index } of followers) {
      const origin = place.get(cascadeOf!)!
      const direct = fleet.needs[index]!
      const through = direct.flatMap((needed) => fleet.needs[needed]!)
      expect([...direct, ...through]).toContain(origin)
    }
  })
})

test('the ground truth of a scenario says who began it and who followed', () => {
  const fleet = simulatedFleet({ seed: 1, servers: 90, startAt, faultsPerServerDay: 0 })
  fleet.setScenario('cascade', startAt)
  fleet.readingsAt(0, startAt + 10 * minuteMs)
  const faults = fleet.faults()
  const origins = faults.filter(({ cascadeOf }) => !cascadeOf)
  expect(origins.map(({ index }) => fleet.servers[index]!.profile)).toEqual([
    'database',
    'database',
  ])
  expect(faults.length).toBeGreaterThan(8)
  const first = Math.max(...origins.map(({ onset }) => onset))
  for (const { cascadeOf, onset, scenario } of faults) {
    expect(scenario).toBe(true)
    if (cascadeOf) expect(onset - first).toBeGreaterThanOrEqual(minuteMs / 2)
  }
})
