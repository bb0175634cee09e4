import type { Forecast } from '@harbinger/shared/api'
import type { Explanation, WhatIf } from '@harbinger/shared/explanation'

const instant = (at: number) => new Date(at).toISOString()
const hour = 3_600_000

/** An explanation in which every part is shown. */
export const explanationOf = (server: string, now: number): Explanation => {
  const check = (removed: string, effect: number, randomEffects: number[], needed: number) => ({
    ...{ removed, effect, randomEffects, needed, passed: effect > needed, seed: 17 },
  })
  return {
    ...{ server, at: instant(now), windowEnd: instant(now), abstained: null, tookMs: 84.2 },
    text: 'Memory may reach 95 % in about 3 h (71 % likely within 8 h, earliest in 1 h 30 min). Memory is expected to peak at 96.2 % within 8 h, once in ten above 98.4 % (by model base-1). What counts most: had Memory gone as usual in the last 24 h, the expected peak would be 71.4 % instead of 96.2 %. 2 similar episodes among 28,224 past episodes of 90 servers: 1 of them reached a limit within 8 h.',
    target: {
      ...{ metric: 'mem_used_pct', label: 'Memory', unit: '%' },
      why: 'Memory is what may reach its limit first',
      ...{ source: 'model:base-1', sourceReason: 'better than the baseline in the backtest' },
      ...{ peak: 96.2, peakPessimistic: 98.4 },
    },
    drivers: {
      withheld: null,
      items: [
        {
          ...{ kind: 'own_course', metric: 'mem_used_pct', effect: 14.2 },
          ...{ peakWith: 96.2, peakWithout: 71.4 },
          text: 'Had Memory gone as usual in the last 24 h, the expected peak would be 71.4 % instead of 96.2 %.',
        },
        {
          ...{ kind: 'metric', metric: 'swap_used_pct', effect: 3.1 },
          ...{ peakWith: 96.2, peakWithout: 92.8 },
          text: 'Without Swap, the expected peak would be 92.8 % instead of 96.2 %.',
        },
      ],
      check: check('its own course of the last 24 h', 14.2, [0.6, 0.2, 0.4, 0.3, 0.2], 0.51),
    },
    selection: {
      withheld: null,
      weights: [
        { input: 'mem_used_pct', past: 0.31, future: 0.22 },
        { input: 'swap_used_pct', past: 0.18, future: 0.12 },
        { input: 'calendar', past: 0.11, future: 0.24 },
      ],
      check: check('Swap', 3.1, [0.6, 0.2, 0.4, 0.3, 0.2], 0.34),
    },
    attention: {
      withheld:
        'the network attends most to 21 to 24 h ago, but without those hours the forecast moves no more than without others drawn at random',
      spans: [],
      check: check('21 to 24 h ago', 0.2, [0.6, 0.2, 0.4, 0.3, 0.2], 0.34),
    },
    similar: {
      episodes: [
        {
          ...{ server, profile: 'generic', sameProfile: true, endedAt: instant(now - 75 * hour) },
          ...{ distance: 0.41, closeness: 'similar' },
          followed: {
            hours: 8,
            breached: [{ metric: 'mem_used_pct', limit: 95, afterMinutes: 135 }],
            peaks: { mem_used_pct: 97.1, cpu_idle_pct: 31 },
          },
          text: 'Memory reached its limit of 95 % after 2 h 15 min.',
        },
        {
          server: 'other007',
          ...{ profile: 'database', sameProfile: false, endedAt: instant(now - 30 * hour) },
          ...{ distance: 0.83, closeness: 'somewhat similar' },
          followed: { hours: 8, breached: [], peaks: { mem_used_pct: 81.5, cpu_idle_pct: 44 } },
          text: 'No limit was reached in the 8 h after: CPU used at most 56 %, Memory at most 81.5 %.',
        },
      ],
      text: '2 similar episodes among 28,224 past episodes of 90 servers: 1 of them reached a limit within 8 h.',
      searched: { servers: 90, ofServers: 90, compared: 28_224, days: 14 },
    },
  }
}

/** Nothing can be said of why: each part says so. */
export const withheldExplanation = (server: string, now: number): Explanation => {
  const whole = explanationOf(server, now)
  const reason =
    "no single input decides it: removing any one moves the forecast by 0.2 points at most, which is less than a tenth of the forecast's own band"
  return {
    ...whole,
    text: `Nothing is expected to reach its limit within 8 h. Why is not said: ${reason}. Nothing similar to the last 6 h among 28,224 past episodes of 90 servers.`,
    drivers: { withheld: reason, items: [], check: whole.drivers.check },
    selection: {
      withheld: 'too few other metrics are measured to check the weights',
      weights: [],
      check: null,
    },
    similar: {
      ...whole.similar,
      episodes: [],
      text: 'Nothing similar to the last 6 h among 28,224 past episodes of 90 servers.',
    },
  }
}

/** Every quantile of every metric is `factor` times what it was; the difference is that of the two. */
export function whatIfOf(before: Forecast, factor: number, now: number): WhatIf {
  const scaled = (values: { readonly [level: string]: number[] }) =>
    Object.fromEntries(
      Object.entries(values).map(([level, steps]) => [level, steps.map((x) => factor * x)]),
    )
  const metrics = Object.fromEntries(
    Object.entries(before.metrics).map(([name, of]) => [
      name,
      { ...of!, quantiles: scaled(of!.quantiles) },
    ]),
  )
  return {
    ...{ server: before.server, at: instant(now), minutes: 60, tookMs: 41.5 },
    consequences: [
      'CPU used changes along, because the CPU parts are 100 % together',
      'all other readings stay as they were measured, even where they would follow in truth',
    ],
    text: 'With CPU user × 0.5 over the last 1 h: CPU used is expected to peak at 44 % instead of 88 %. Risk would be 12 instead of 45. By model base-1 where it serves. It is what the forecast would be had that been measured, no promise of what an action does.',
    before,
    after: { ...before, metrics },
    difference: {
      quantiles: Object.fromEntries(
        Object.entries(before.metrics).map(([name, of]) => [
          name,
          Object.fromEntries(
            Object.entries(of!.quantiles).map(([level, steps]) => [
              level,
              steps.map((x) => factor * x - x),
            ]),
          ),
        ]),
      ),
      peaks: {},
    },
    risk: {
      before: { risk: 45, now: 30, predicted: 40, severity: 'watch' },
      after: { risk: 12, now: 10, predicted: 8, severity: 'healthy' },
      difference: -33,
    },
  }
}
