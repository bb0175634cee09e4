import { describe, expect, test } from 'vitest'
import { assessEnvironment, incidentChance, type ServerInFleet } from './environment.ts'

const server = (n: number, of: Partial<ServerInFleet> = {}): ServerInFleet => ({
  name: `ppweb${n}`,
  ...{ severity: 'healthy', score: 0, breaches: 0, chance: { in30Minutes: 0, in8Hours: 0 } },
  ...of,
})
/** Scored on this hub, of the last week. */
const kept = { days: 7, cases: 12_345, expected: 0.0041, reached: 0.0035 }
const assess = (servers: readonly ServerInFleet[]) => assessEnvironment(servers, kept)
const many = (n: number, of: Partial<ServerInFleet> = {}) =>
  Array.from({ length: n }, (_, i) => server(i, of))

describe('the environment', () => {
  test('of 90 servers far from every limit is healthy and expects nothing', () => {
    const it = assess(many(90))
    expect(it).toMatchObject({ status: 'healthy', incidentProbability8h: 0 })
    expect(it.sentence).toBe(
      'All 90 servers are healthy. A new incident: less than 2 % likely within 30 minutes, less than 2 % likely within 8 hours.',
    )
    expect(it.how).toContain('1 − Π(1 − p) over the 90 of 90 servers')
  })

  test('joins the chances of its servers', () => {
    const chance = { in30Minutes: 0.1, in8Hours: 0.5 }
    const it = assess([...many(88), server(88, { chance }), server(89, { chance })])
    expect(it.incidentProbability30m).toBeCloseTo(0.19)
    expect(it.incidentProbability8h).toBeCloseTo(0.75)
    expect(it.sentence).toContain('19 % likely within 30 minutes, 75 % likely within 8 hours')
    expect(it.how).toContain('2 servers count')
  })

  test('says what its chances have been worth here, or that nobody knows it yet', () => {
    expect(assess(many(9)).how).toContain(
      'Of 12,345 forecasts of single metrics in the last 7 days 0.41 % were expected to reach their limit within 8 hours, and 0.35 % did.',
    )
    const fresh = assessEnvironment(many(9), null)
    expect(fresh.sentence).toBe(
      'All 9 servers are healthy. A new incident: less than 2 % likely within 30 minutes, less than 2 % likely within 8 hours, not checked on this fleet yet.',
    )
    expect(fresh.how).toContain('None of these chances has been compared with what followed')
  })

  test('names the worst server and counts the severities', () => {
    const it = assess([
      ...many(87),
      server(1, { severity: 'warning', score: 61 }),
      server(2, { severity: 'watch', score: 35 }),
      server(3, { severity: 'critical', score: 84, breaches: 2 }),
    ])
    expect(it.status).toBe('critical')
    expect(it.bySeverity).toMatchObject({ healthy: 87, critical: 1, warning: 1, watch: 1 })
    expect(it.sentence).toContain(
      '3 of 90 servers need a look (1 Critical, 1 Warning, 1 Watch; worst ppweb3), one past a critical limit now.',
    )
  })

  test('of a large fleet is not named after one server', () => {
    const it = assess([
      ...many(998),
      server(1, { severity: 'critical', score: 84 }),
      server(2, { severity: 'warning', score: 61 }),
    ])
    expect(it.status).toBe('healthy')
  })

  test('does not take what it cannot see for healthy', () => {
    const blind = { severity: 'unknown', score: null, chance: undefined } as const
    expect(assess(many(3, blind))).toMatchObject({
      ...{ status: 'unknown', incidentProbability30m: null },
      sentence: 'Nothing is known of the 3 servers now. There is no forecast yet.',
    })
    expect(assess([...many(5), server(9, blind)]).sentence).toBe(
      '5 of 6 servers are healthy, of 1 nothing is known. A new incident: less than 2 % likely within 30 minutes, less than 2 % likely within 8 hours. 1 server has no forecast.',
    )
    expect(assess([]).sentence).toContain('No server reports yet.')
  })
})

describe('the chance of an incident', () => {
  const flat = (levels: readonly number[]) => ({
    quantiles: Float32Array.from(Array.from({ length: 32 }, () => levels).flat()),
    peaks: Float32Array.from([levels, levels, levels].flat()),
  })

  test('is that of the likeliest metric to pass its limit', () => {
    const forecast = {
      mem_used_pct: flat([60, 65, 70, 75, 80, 84, 86]),
      cpu_idle_pct: flat([1, 2, 3, 30, 40, 50, 60]),
    }
    const chance = incidentChance(forecast, { profile: 'web_api' })!
    expect(chance.in30Minutes).toBeCloseTo(0.1)
    expect(chance.in8Hours).toBeCloseTo(0.1)
  })

  test('is 0, not 2 %, when the 98 % quantile stays within every limit', () => {
    const forecast = { mem_used_pct: flat([1, 2, 3, 4, 5, 6, 7]) }
    expect(incidentChance(forecast, { profile: 'web_api' })).toEqual({
      in30Minutes: 0,
      in8Hours: 0,
    })
  })

  test('leaves out what is past its limit already: that is no news', () => {
    const forecast = { mem_used_pct: flat([90, 91, 92, 93, 94, 95, 96]) }
    const options = { profile: 'web_api', breached: ['mem_used_pct'] } as const
    expect(incidentChance(forecast, options)!.in8Hours).toBe(0)
  })

  test('is unknown without a forecast of a limited metric', () => {
    expect(incidentChance({}, { profile: 'web_api' })).toBeUndefined()
    expect(
      incidentChance({ load_average: flat([1, 2, 3, 4, 5, 6, 7]) }, { profile: 'web_api' }),
    ).toBeUndefined()
  })
})
