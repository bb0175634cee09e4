import { expect, test } from 'vitest'
import { criticalLimit, isPast } from '@harbinger/shared/limits'
import { causeFinder, slowKinds } from './cause.ts'
import { severityOfFault } from './faults.ts'
import { simulatedFleet } from './fleet.ts'

const startAt = Date.UTC(2025, 4, 5)
const until = startAt + 4 * 86_400_000
const options = { seed: 5, servers: 60, startAt, faultsPerServerDay: 0.3 }
const fleet = simulatedFleet(options)
fleet.readingsAt(0, until)
const causeOf = causeFinder(options, until)

const memoryOf = (index: number, at: number) => fleet.readingsAt(index, at)?.mem_used_pct
const past = (index: number) => (value: number) =>
  isPast('mem_used_pct', value, criticalLimit(fleet.servers[index]!.profile, 'mem_used_pct')!)

test('memory past its limit is brought about by what fills memory, not by what else is going on', () => {
  const fills = new Set(['memory_leak', 'gc_spiral', 'silent_death'])
  const troubles = fleet.faults().flatMap(({ index, peak, relief }) => {
    const at = Math.round((peak + relief) / 2)
    const value = memoryOf(index, at)
    return value !== undefined && past(index)(value) ? [{ index, at }] : []
  })
  expect(troubles.length).toBeGreaterThan(5)
  for (const { index, at } of troubles) {
    const cause = causeOf({ index, at, metric: 'mem_used_pct', isPast: past(index) })
    expect(fills.has(cause.kind), cause.kind).toBe(true)
  }
})

test('what would be past a limit without any fault has none as its cause', () => {
  const { index, peak } = fleet.faults().find(({ kind }) => kind === 'memory_leak')!
  const always = { index, at: peak, metric: 'mem_used_pct', isPast: () => true } as const
  expect(['demand', 'planned_work']).toContain(causeOf(always).kind)
})

test('leaving a fault out takes its effect and nothing else', () => {
  const leak = fleet.faults().find(({ kind, relief }) => kind === 'memory_leak' && relief < until)!
  const { index, peak } = leak
  const others = fleet
    .faults()
    .filter((fault) => fault !== leak && fault.index === index && severityOfFault(fault, peak) > 0)
  const without = fleet.readingsAt(index, peak, { without: ({ onset }) => onset === leak.onset })
  expect(without!.mem_used_pct!).toBeLessThan(memoryOf(index, peak)!)
  expect(others.length === 0 || without !== undefined).toBe(true)
  expect(without!.disk_usage_pct).toBe(fleet.readingsAt(index, peak)!.disk_usage_pct)
})

test('the kinds that build up slowly never take less than an hour', () => {
  expect([...slowKinds].sort()).toEqual([
    'disk_fill',
    'double_leak',
    'memory_leak',
    'socket_leak_back',
    'socket_leak_front',
  ])
})
