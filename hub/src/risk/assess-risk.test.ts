import { describe, expect, test } from 'vitest'
import type { Readings } from '@harbinger/shared/metrics'
import { type Profile, profiles } from '@harbinger/shared/profiles'
import { assessRisk, type PredictedPeaks, type RiskInput } from './assess-risk.ts'

const cores = 16
/** A server with nothing wrong with it. */
const well: Readings = {
  cpu_user_pct: 20,
  cpu_sys_pct: 5,
  cpu_iowait_pct: 1,
  cpu_idle_pct: 74,
  mem_used_pct: 35,
  swap_used_pct: 1,
  disk_usage_pct: 40,
  back_close_wait: 2,
  front_close_wait: 2,
  load_average: 3,
}
const used = (percent: number): Readings => ({ cpu_idle_pct: 100 - percent })

const risk = (profile: Profile, now: Readings, rest: Omit<Partial<RiskInput>, 'profile'> = {}) =>
  assessRisk({ profile, now: { ...well, ...now }, cores, ...rest })
const score = (profile: Profile, now: Readings, predicted?: PredictedPeaks): number =>
  risk(profile, now, { predicted }).score!

describe('the score', () => {
  test('of a database at 98 % memory alone is below 30', () => {
    expect(score('database', { mem_used_pct: 98 })).toBeLessThan(30)
    expect(score('database', { mem_used_pct: 98 }, { mem_used_pct: 98.5 })).toBeLessThan(30)
  })

  test('of a training server at 98 % memory is at least 50', () => {
    expect(score('ml_compute', { mem_used_pct: 98 })).toBeGreaterThanOrEqual(50)
  })

  test('of a web server at 90 % memory is at least 60', () => {
    expect(score('web_api', { mem_used_pct: 90 })).toBeGreaterThanOrEqual(60)
  })

  test.each(profiles)('of a %s at a steady 40 % CPU is 0', (profile) => {
    expect(score(profile, used(40), { cpuUsed: 42 })).toBe(0)
  })

  test('of CPU climbing 20, 40, 60 % with a forecast to 95 % is at least 50', () => {
    expect(score('generic', used(60), { cpuUsed: 95 })).toBeGreaterThanOrEqual(50)
  })

  test('of 85 % CPU and 35 % memory is 20 to 40', () => {
    const it = score('generic', { ...used(85), mem_used_pct: 35 })
    expect(it).toBeGreaterThanOrEqual(20)
    expect(it).toBeLessThanOrEqual(40)
  })

  test('of 85 % CPU, 90 % memory and 25 % I/O wait is at least 80', () => {
    const now = { ...used(85), mem_used_pct: 90, cpu_iowait_pct: 25 }
    expect(score('generic', now)).toBeGreaterThanOrEqual(80)
  })

  test('of 40 % CPU now and 95 % predicted is 40 to 60', () => {
    const it = score('generic', used(40), { cpuUsed: 95 })
    expect(it).toBeGreaterThanOrEqual(40)
    expect(it).toBeLessThanOrEqual(60)
  })

  test('of 85 % CPU now and a fall to 60 % predicted is below 45', () => {
    expect(score('generic', used(85), { cpuUsed: 60 })).toBeLessThan(45)
  })

  test('of 92 % memory climbing 5 % an hour is at least 65', () => {
    // Half an hour later it is 94.5 %.
    expect(score('generic', { mem_used_pct: 92 }, { mem_used_pct: 94.5 })).toBeGreaterThanOrEqual(
      65,
    )
  })

  test('of a training server that computes at 98 % is 0', () => {
    expect(score('ml_compute', { ...used(98.5), load_average: 18 }, { cpuUsed: 99 })).toBe(0)
  })

  test('judges memory by what the profile needs', () => {
    const at88 = (profile: Profile) => score(profile, { mem_used_pct: 88 })
    expect(at88('web_api')).toBeGreaterThan(at88('data_ingest'))
    expect(at88('data_ingest')).toBeGreaterThan(at88('risk_analytics'))
    expect(at88('database')).toBe(0)
  })

  test('counts a database’s memory once swap is no longer quiet, or cannot be read', () => {
    const { swap_used_pct: _, ...noSwap } = well
    expect(score('database', { mem_used_pct: 99.2, swap_used_pct: 12 })).toBeGreaterThan(40)
    const now = { ...noSwap, mem_used_pct: 99.2 }
    expect(assessRisk({ profile: 'database', now, cores }).score).toBe(40)
  })

  test('grows when any one thing grows', () => {
    const grow = (of: (x: number) => Readings, levels: readonly number[]) => {
      const scores = levels.map((x) => score('generic', of(x)))
      expect([...scores].sort((a, b) => a - b)).toEqual(scores)
      expect(scores.at(-1)).toBeGreaterThan(0)
    }
    grow(used, [10, 80, 90, 95, 98, 100])
    grow((x) => ({ mem_used_pct: x }), [10, 85, 90, 95, 98, 100])
    grow((x) => ({ cpu_iowait_pct: x }), [1, 10, 20, 30, 70])
    grow((x) => ({ swap_used_pct: x }), [1, 10, 25, 50, 90])
    grow((x) => ({ load_average: x }), [1, 31, 32, 48, 500])
    grow((x) => ({ back_close_wait: x }), [2, 49, 50, 199, 200, 5000])
    grow((x) => ({ disk_usage_pct: x }), [10, 90, 95, 98, 100])
  })

  test('never leaves 0 to 100', () => {
    const now = { ...used(100), mem_used_pct: 100, cpu_iowait_pct: 90, swap_used_pct: 100 }
    const it = risk('generic', { ...now, load_average: 999 }, { predicted: { cpuUsed: 100 } })
    expect(it).toMatchObject({ score: 100, severity: 'imminent_failure', now: 100 })
  })
})

describe('sockets in CLOSE_WAIT', () => {
  test('that keep rising count before they are many', () => {
    const now = { back_close_wait: 45 }
    expect(risk('web_api', now).score).toBe(0)
    expect(risk('web_api', now, { closeWaitTrend: { back_close_wait: 20 } }).score).toBe(10)
  })

  test('that reach their limit within 8 h at this rate count 10 more', () => {
    const trend = { closeWaitTrend: { front_close_wait: 100 } }
    const it = risk('web_api', { front_close_wait: 80 }, trend)
    expect(it.score).toBe(30)
    expect(it.reasons.map(({ kind }) => kind).sort()).toEqual(['now', 'predicted'])
    expect(it.reasons.find(({ kind }) => kind === 'predicted')!.text).toContain('in about 5 h')
  })

  test('count by the worse of back and front', () => {
    expect(score('generic', { back_close_wait: 60, front_close_wait: 250 })).toBe(60)
  })
})

describe('the reasons', () => {
  test('add up to the score, heaviest first, in words', () => {
    const it = risk('generic', { ...used(85), cpu_iowait_pct: 25 }, { predicted: { cpuUsed: 96 } })
    expect(it.reasons.reduce((sum, { points }) => sum + points, 0)).toBe(it.score)
    expect(it.reasons[0]!.points).toBeGreaterThanOrEqual(it.reasons[1]!.points)
    expect(it.reasons.map(({ text }) => text)).toContain('I/O wait 25.0 %, usual up to 10 %')
  })

  test('are none for a server that is well', () => {
    expect(risk('generic', {}).reasons).toEqual([])
  })
})

describe('what is unknown', () => {
  test('is said, and is not "no risk"', () => {
    const it = assessRisk({ profile: 'generic', now: used(99) })
    expect(it.score).toBe(55)
    expect(it.unknown).toEqual([
      ...['memory', 'io_wait', 'swap', 'load', 'close_wait', 'disk', 'forecast'],
    ])
  })

  test('leaves no score when it is everything', () => {
    expect(assessRisk({ profile: 'generic', now: {} })).toMatchObject({
      ...{ score: null, severity: 'unknown', now: null, predicted: null, reasons: [] },
    })
  })

  test('leaves load out when the cores are unknown', () => {
    expect(assessRisk({ profile: 'generic', now: well }).unknown).toEqual(['load', 'forecast'])
  })

  test('does not hide a forecast', () => {
    const it = assessRisk({ profile: 'generic', now: {}, predicted: { cpuUsed: 97 } })
    expect(it).toMatchObject({ score: 52, now: null, predicted: 52 })
  })
})
