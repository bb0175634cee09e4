import { simulatedFleet } from '@harbinger/model-training/simulator/fleet'
import type { Drift } from '@harbinger/shared/accuracy'
import type { MetricName, Readings } from '@harbinger/shared/metrics'
import { addSample, closeQuarter, emptySeries, minuteMs } from '@harbinger/shared/window/series'
import { describe, expect, test } from 'vitest'
import { driftWatch } from '../../hub/src/accuracy/drift-watch.ts'
import { recentMinutes } from '../../hub/src/accuracy/recent-inputs.ts'
import { openStores } from '../../hub/src/storage/stores.ts'
import { changed } from './changed.ts'

const hour = 60 * minuteMs
const day = 24 * hour
const startAt = Date.UTC(2026, 1, 2)
type Change = (readings: Readings, i: number) => Readings

/** A simulated fleet with its faults, watched every quarter of an hour; minute by minute where a test looks closely. */
function watchedFleet(seed: number, size = 24) {
  const fleet = simulatedFleet({ seed, servers: size, startAt })
  const servers = fleet.servers.map(({ profile }, id) => ({
    ...{ id, profile, series: emptySeries({ intervalMinutes: 15 }) },
  }))
  const stores = openStores(':memory:')
  const found: Drift[] = []
  let now = startAt
  const open = () =>
    driftWatch({
      ...{ store: stores.drift, now, servers: () => servers },
      series: (id) => servers[id]!.series,
      ledger: { last: () => [] },
      onDrift: (drift) => void found.push(drift),
    })
  let watch = open()
  return {
    servers,
    found,
    now: () => now,
    watch: () => watch,
    restart: () => void (watch = open()),
    async pass(
      ms: number,
      {
        cycle = 15 * minuteMs,
        change = (readings) => readings,
      }: { cycle?: number; change?: Change } = {},
    ) {
      for (const end = now + ms; now < end;) {
        if (now % (15 * minuteMs) === 0) {
          for (const { id, series } of servers) {
            const readings = fleet.readingsAt(id, now)
            if (readings) addSample(series, now, change(readings, id))
            closeQuarter(series, Math.floor(now / (15 * minuteMs)))
          }
        }
        now += minuteMs
        if (now % cycle === 0) await watch.look(now)
      }
    },
  }
}

const times10 =
  (metric: MetricName): Change =>
  (readings) =>
    changed(readings, [metric], (value) => 10 * value)

describe('nothing is flagged while nothing changes', () => {
  test.each([1, 2, 3, 4])(
    'in 7 days after two weeks of learning, seed %i',
    async (seed) => {
      const fleet = watchedFleet(seed)
      await fleet.pass(14 * day)
      const [shift, missing] = fleet.watch().state(fleet.now()).tests
      expect(shift!.learning).toBe(0)
      expect(shift!.watched).toBeGreaterThanOrEqual(24)
      expect(missing!.learning).toBe(0)
      await fleet.pass(7 * day)
      expect(fleet.found).toEqual([])
    },
    120_000,
  )
})

describe('a shifted feed', () => {
  test('is flagged within two cycles of having half an hour of it, serves the baseline, and is over when it is over', async () => {
    const fleet = watchedFleet(5)
    await fleet.pass(14 * day + 9 * hour)
    const change = times10('net_in_mb_s')
    await fleet.pass(recentMinutes * minuteMs, { cycle: minuteMs, change })
    await fleet.pass(2 * minuteMs, { cycle: minuteMs, change })
    const groups = new Set(fleet.found.map(({ profile }) => profile))
    expect(new Set(fleet.found.map(({ metric }) => metric))).toEqual(new Set(['net_in_mb_s']))
    expect(
      fleet.found.every(({ signal, fallsBack }) => signal === 'input shift' && fallsBack),
    ).toBe(true)
    expect(groups.size).toBeGreaterThanOrEqual(2)
    expect(fleet.found[0]!.detail).toMatch(/^Network in of .* is [\d.]+ × what it was a week ago/)
    for (const { profile } of fleet.servers) {
      const instead = fleet.watch().insteadOf(profile)
      expect(Object.keys(instead!)).toEqual(['net_in_mb_s'])
      expect(instead!.net_in_mb_s).toContain('the baseline serves until it is over')
    }
    expect(fleet.watch().problems()[0]).toContain('drift (input shift): Network in')

    // A hub that starts again still knows.
    fleet.restart()
    expect(fleet.watch().insteadOf(fleet.servers[0]!.profile)).toBeDefined()
    const flagged = fleet.found.length
    await fleet.pass(hour, { change })
    await fleet.pass(hour, { cycle: minuteMs })
    expect(fleet.watch().state(fleet.now()).now).toEqual([])
    expect(fleet.watch().insteadOf(fleet.servers[0]!.profile)).toBeUndefined()
    expect(fleet.watch().state(fleet.now()).recent).toHaveLength(flagged)
    // A week later those hours are no measure of what is usual.
    await fleet.pass(8 * day)
    expect(fleet.found).toHaveLength(flagged)
  }, 120_000)

  test.each([
    [
      'a level that rises by half on every server',
      (r: Readings) => changed(r, ['mem_used_pct'], (x) => Math.min(100, 1.5 * x)),
      'mem_used_pct',
      'input shift',
    ],
    [
      'a unit that is a thousandth',
      (r: Readings) => changed(r, ['net_out_mb_s'], (x) => x / 1000),
      'net_out_mb_s',
      'input shift',
    ],
  ] as const)(
    '%s is flagged',
    async (_what, change, metric, signal) => {
      const fleet = watchedFleet(6)
      await fleet.pass(14 * day + 9 * hour)
      await fleet.pass((recentMinutes + 2) * minuteMs, { cycle: minuteMs, change })
      expect(fleet.found.length).toBeGreaterThan(0)
      for (const drift of fleet.found) expect(drift).toMatchObject({ metric, signal })
    },
    120_000,
  )

  test('half of the metrics missing is flagged for those alone', async () => {
    const gone: MetricName[] = [
      'cpu_user_pct',
      'mem_used_pct',
      'net_in_mb_s',
      'load_average',
      'swap_used_pct',
      'java_cpu_pct',
    ]
    const change: Change = (readings) => changed(readings, gone, () => undefined)
    const fleet = watchedFleet(7)
    await fleet.pass(3 * day + 9 * hour)
    expect(fleet.found).toEqual([])
    await fleet.pass((recentMinutes + 2) * minuteMs, { cycle: minuteMs, change })
    expect(new Set(fleet.found.map(({ metric }) => metric))).toEqual(new Set(gone))
    expect(fleet.found.every(({ signal }) => signal === 'missing readings')).toBe(true)
    await fleet.pass(hour, { cycle: minuteMs })
    expect(fleet.watch().state(fleet.now()).now).toEqual([])
  }, 120_000)

  test('the trouble of single servers is no drift', async () => {
    const fleet = watchedFleet(8)
    await fleet.pass(14 * day + 9 * hour)
    await fleet.pass(3 * hour, {
      cycle: minuteMs,
      change: (readings, i) =>
        i % 12 === 0 ? changed(readings, ['mem_used_pct', 'net_in_mb_s'], (x) => 10 * x) : readings,
    })
    expect(fleet.found).toEqual([])
  }, 120_000)
})
