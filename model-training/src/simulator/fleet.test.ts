import { describe, expect, test } from 'vitest'
import { metricNames, type MetricName } from '@harbinger/shared/metrics'
import { profiles, type Profile } from '@harbinger/shared/profiles'
import { decideProfile } from '@harbinger/shared/profiles'
import { checkSample } from '@harbinger/shared/sample'
import { contractVersion } from '@harbinger/shared/version'
import { type FleetOptions, simulatedFleet } from './fleet.ts'
import { profileLevels } from './profile-levels.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** A Wednesday, midnight in New York. */
const wednesday = Date.UTC(2026, 2, 4, 5)

const fleetOf = (options: Partial<FleetOptions> = {}) =>
  simulatedFleet({ seed: 1, servers: 90, startAt: wednesday, ...options })

/** Every reading of a fleet over `hours`, server by server within each instant. */
function* readingsOf(
  fleet: ReturnType<typeof simulatedFleet>,
  { hours, stepMs, from = wednesday }: { hours: number; stepMs: number; from?: number },
) {
  for (let at = from; at < from + hours * hourMs; at += stepMs) {
    for (let i = 0; i < fleet.servers.length; i++) {
      const readings = fleet.readingsAt(i, at)
      if (readings) yield { at, i, readings, server: fleet.servers[i]! }
    }
  }
}

describe('the servers', () => {
  test('are 90 with the mix and names of the design, and every name tells its profile', () => {
    const { servers } = fleetOf()
    const counts = Object.fromEntries(
      profiles.map((profile) => [profile, servers.filter((s) => s.profile === profile).length]),
    )
    expect(counts).toEqual({
      ...{ web_api: 25, ml_compute: 20, database: 15, data_ingest: 10 },
      ...{ risk_analytics: 8, generic: 7, conductor_mgmt: 5 },
    })
    const names = servers.map(({ name }) => name)
    const first = 'ppweb001 ppml0001 ppdb001 ppetl001 pprisk001 ppgen001 ppcon01'
    expect(names).toEqual(expect.arrayContaining(first.split(' ')))
    expect(new Set(names).size).toBe(90)
    for (const { name, profile } of servers) expect(decideProfile(name).profile).toBe(profile)
  })

  test.each([1, 5, 30, 1000])('are as many as asked for: %i', (servers) => {
    expect(fleetOf({ servers }).servers).toHaveLength(servers)
  })

  test('say that they are simulated', () => {
    expect(fleetOf().servers.every(({ inventory }) => inventory.simulated)).toBe(true)
  })
})

test.each<[string, Partial<FleetOptions>]>([
  ['a fleet with a fault per server and day', { faultsPerServerDay: 1 }],
  ['a fleet with held-out faults', { faultsPerServerDay: 1, heldOutFaults: true }],
  ['a calm fleet', { calm: true, faultsPerServerDay: 0.5 }],
])('every sample of %s is one of the contract', (_, options) => {
  const fleet = fleetOf(options)
  const span = { hours: 12, stepMs: 2 * minuteMs }
  for (const { at, readings, server } of readingsOf(fleet, span)) {
    const message = { v: contractVersion, seq: 0, at, cores: server.cores, m: readings }
    const verdict = checkSample(message, at)
    if ('rejected' in verdict) expect.fail(`${server.name}: ${verdict.detail}`)
    const { cpu_user_pct, cpu_sys_pct, cpu_iowait_pct, cpu_idle_pct, java_cpu_pct } = readings
    const busy = cpu_user_pct! + cpu_sys_pct!
    if (Math.abs(busy + cpu_iowait_pct! + cpu_idle_pct! - 100) > 0.021) {
      expect.fail(`${server.name}: user + sys + iowait + idle is not 100`)
    }
    if (java_cpu_pct! > busy + 0.011) expect.fail(`${server.name}: java is more than user + sys`)
    if (!Number.isInteger(readings.back_close_wait)) expect.fail('sockets are whole')
  }
})

describe('the same seed', () => {
  const bytes = (options: Partial<FleetOptions>, step: number) =>
    JSON.stringify([...readingsOf(fleetOf(options), { hours: 1, stepMs: step })])

  test('gives the same bytes, another seed gives others', () => {
    expect(bytes({}, minuteMs)).toBe(bytes({}, minuteMs))
    expect(bytes({ seed: 2 }, minuteMs)).not.toBe(bytes({}, minuteMs))
  })

  test('tells the same story at any step and from any start', () => {
    const later = wednesday + 6 * hourMs
    const coarse = fleetOf({ faultsPerServerDay: 1, startAt: wednesday - 48 * hourMs })
    const fine = fleetOf({ faultsPerServerDay: 1, startAt: later - 10 * minuteMs })
    for (let at = wednesday; at < later; at += 15 * minuteMs) coarse.readingsAt(3, at)
    for (let at = later - 10 * minuteMs; at < later; at += 1000) fine.readingsAt(3, at)
    for (let i = 0; i < 90; i++) {
      expect(fine.readingsAt(i, later)).toEqual(coarse.readingsAt(i, later))
    }
  })
})

describe('a weekday', () => {
  const fleet = fleetOf({ faultsPerServerDay: 0 })
  const days = [0, 1, 5, 6].map((day) => wednesday + day * 24 * hourMs)
  const sum = new Map<Profile, Map<MetricName, number>>()
  const byHour = new Map<Profile, number[]>()
  const counts = new Map<Profile, number>()
  for (const from of days) {
    for (const { at, readings, server } of readingsOf(fleet, {
      hours: 24,
      stepMs: 5 * minuteMs,
      from,
    })) {
      const { profile, cores } = server
      const sums = sum.get(profile) ?? new Map<MetricName, number>()
      sum.set(profile, sums)
      for (const name of metricNames) {
        const value = name === 'load_average' ? (readings[name]! / cores) * 16 : readings[name]!
        sums.set(name, (sums.get(name) ?? 0) + value)
      }
      const hours = byHour.get(profile) ?? new Array<number>(24).fill(0)
      byHour.set(profile, hours)
      const hour = Math.floor((at - from) / hourMs)
      hours[hour] = hours[hour]! + readings.cpu_user_pct! + readings.cpu_sys_pct!
      counts.set(profile, (counts.get(profile) ?? 0) + 1)
    }
  }
  const meanOf = (profile: Profile, name: MetricName) =>
    sum.get(profile)!.get(name)! / counts.get(profile)!

  test.each(profiles)('has the levels of the design on %s', (profile) => {
    const levels = profileLevels[profile]
    const near = (name: MetricName, level: number, share = 0.1) => {
      const mean = meanOf(profile, name)
      expect(Math.abs(mean - level), `${name}: ${mean}, not ${level}`).toBeLessThan(
        Math.max(0.5, level * share),
      )
    }
    near('cpu_user_pct', levels.user)
    near('cpu_sys_pct', levels.sys)
    near('cpu_iowait_pct', levels.iowait, 0.12)
    near('java_cpu_pct', levels.java)
    near('mem_used_pct', levels.memory, 0.05)
    near('swap_used_pct', levels.swap, 0.2)
    near('disk_usage_pct', levels.disk, 0.06)
    near('net_in_mb_s', levels.netIn, 0.12)
    near('net_out_mb_s', levels.netOut, 0.15)
    near('back_close_wait', levels.back, 0.12)
    near('front_close_wait', levels.front, 0.12)
    near('load_average', levels.load, 0.12)
  })

  test.each<[Profile, (hour: number) => boolean]>([
    ['web_api', (hour) => hour >= 9 && hour < 16],
    ['data_ingest', (hour) => hour >= 9 && hour < 16],
    ['database', (hour) => hour >= 16 && hour < 19],
    ['risk_analytics', (hour) => hour >= 16 && hour < 19],
    ['ml_compute', (hour) => hour >= 20 || hour < 7],
  ])('is busiest on %s when the design says so', (profile, isBusy) => {
    const hours = byHour.get(profile)!
    expect(isBusy(hours.indexOf(Math.max(...hours)))).toBe(true)
    const mean = (keep: (hour: number) => boolean) => {
      const kept = hours.filter((_, hour) => keep(hour))
      return kept.reduce((total, x) => total + x, 0) / kept.length
    }
    expect(mean(isBusy)).toBeGreaterThan(1.1 * mean((hour) => !isBusy(hour)))
  })

  test('is busier than a Saturday', () => {
    const mean = (from: number) => {
      const used = [...readingsOf(fleet, { hours: 24, stepMs: 30 * minuteMs, from })]
        .filter(({ server }) => server.profile === 'web_api')
        .map(({ readings }) => 100 - readings.cpu_idle_pct!)
      return used.reduce((total, x) => total + x, 0) / used.length
    }
    expect(mean(wednesday)).toBeGreaterThan(1.4 * mean(wednesday + 3 * 24 * hourMs))
  })
})

test('a calm fleet is as calm as real ones are', () => {
  const all = [
    ...readingsOf(fleetOf({ calm: true, faultsPerServerDay: 0 }), {
      hours: 24,
      stepMs: 10 * minuteMs,
    }),
  ].map(({ readings }) => readings)
  const middle = (name: MetricName) => {
    const values = all.map((readings) => readings[name]!).sort((a, b) => a - b)
    return [values[Math.floor(values.length * 0.05)]!, values[Math.floor(values.length * 0.95)]!]
  }
  const [idleLow] = middle('cpu_idle_pct')
  const [memoryLow, memoryHigh] = middle('mem_used_pct')
  const [swapLow, swapHigh] = middle('swap_used_pct')
  expect(idleLow).toBeGreaterThan(70)
  expect(middle('cpu_iowait_pct')[1]).toBeLessThan(4)
  expect([memoryLow! > 3.5, memoryHigh! < 21, swapLow! > 4.5, swapHigh! < 28]).toEqual(
    new Array(4).fill(true),
  )
})

test('more load means less idle, and load, I/O wait and CPU agree', () => {
  const fleet = fleetOf({ faultsPerServerDay: 0.5 })
  const busy = { idle: 0, perCore: 0, n: 0 }
  const quiet = { idle: 0, perCore: 0, n: 0 }
  for (const { readings, server } of readingsOf(fleet, { hours: 24, stepMs: 10 * minuteMs })) {
    if (server.profile !== 'web_api') continue
    const group = readings.net_in_mb_s! > 100 ? busy : quiet
    group.idle += readings.cpu_idle_pct!
    group.perCore += readings.load_average! / server.cores
    group.n++
  }
  expect(busy.idle / busy.n).toBeLessThan(quiet.idle / quiet.n - 5)
  expect(busy.perCore / busy.n).toBeGreaterThan(quiet.perCore / quiet.n)
})

test('uptime runs with the clock and begins again after a planned reboot', () => {
  const fleet = fleetOf({ servers: 10, faultsPerServerDay: 0 })
  const reboot = fleet
    .planned(0, { from: wednesday, to: wednesday + 60 * 24 * hourMs })
    .find(({ kind }) => kind === 'reboot')!
  expect(fleet.readingsAt(0, reboot.from - 1000)!.uptime_days).toBeGreaterThan(15)
  expect(fleet.readingsAt(0, reboot.from + minuteMs)).toBeUndefined()
  expect(fleet.readingsAt(0, reboot.until + 12 * hourMs)!.uptime_days).toBeCloseTo(0.5, 3)
})

test('what a server holds wanders, it does not jump', () => {
  const fleet = fleetOf({ faultsPerServerDay: 0 })
  const training = fleet.servers.findIndex(({ profile }) => profile === 'ml_compute')
  let before: number | undefined
  for (let at = wednesday; at < wednesday + 24 * hourMs; at += 10_000) {
    const now = fleet.readingsAt(training, at)?.mem_used_pct
    if (now !== undefined && before !== undefined) expect(Math.abs(now - before)).toBeLessThan(0.2)
    before = now
  }
})
