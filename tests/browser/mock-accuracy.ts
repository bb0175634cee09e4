import type { Accuracy, Figures, Scorecard } from '@harbinger/shared/accuracy'
import { networkMetricNames } from '@harbinger/shared/metrics'

const figures = (n: number, skill: number | null, coverage80: number | null): Figures => ({
  ...{ n, unknown: 12, wql: 0.07, bestBaseline: skill === null ? null : 'seven-day-mean-level' },
  ...{ bestBaselineWql: skill === null ? null : 0.07 / (1 - skill), skill, coverage80 },
  ...{ meanAbsoluteError: 2.5, medianAbsoluteError: 1.7, meanBandWidth: 9 },
})

const leads = ['30', '60', '120', '240', '465']

function card(coverage80: number): Scorecard {
  const byMetric = Object.fromEntries(
    networkMetricNames.map((name, v) => [name, figures(18_000 - v, 0.12 - 0.02 * v, coverage80)]),
  )
  return {
    all: figures(216_000, 0.09, coverage80),
    byMetric,
    byLead: Object.fromEntries(leads.map((lead) => [lead, figures(43_200, 0.1, 0.8)])),
    byMetricAndLead: Object.fromEntries(
      networkMetricNames.map((name) => [
        name,
        Object.fromEntries(leads.map((lead) => [lead, figures(3600, 0.1, 0.8)])),
      ]),
    ),
    byProfile: { database: figures(90_000, 0.1, 0.79), web_api: figures(126_000, 0.08, 0.81) },
    bySource: {
      'model:tft-2026-01': figures(200_000, 0.11, coverage80),
      'baseline:seven-day-mean-level': figures(16_000, 0, 0.82),
    },
    challengers: {},
    reliability: [
      { promised: 0.1, came: 0.11, n: 216_000 },
      { promised: 0.5, came: 0.52, n: 216_000 },
      { promised: 0.9, came: null, n: 0 },
    ],
    peaks: {
      '60': {
        ...{ n: 40_000, unknown: 0, wql: 0.1, coverage80: 0.8 },
        breach: { cases: 20_000, expected: 0.012, reached: 0.01, brier: 0.0041 },
      },
    },
  }
}

/** What a hub that has drifted answers at `now`. */
export function mockAccuracy(now: number): Accuracy {
  const iso = (ago: number) => new Date(now - ago).toISOString()
  const day = 86_400_000
  return {
    at: iso(20_000),
    since: iso(9 * day),
    windows: [
      { days: 1, from: iso(day), to: iso(20_000), ...card(0.71) },
      { days: 7, from: iso(7 * day), to: iso(20_000), ...card(0.795) },
    ],
    drift: {
      tests: [
        { signal: 'input shift', watched: 36, learning: 12, reason: 'needs two weeks of readings' },
        { signal: 'skill', watched: 12, learning: 0, reason: null },
      ],
      falseAlarms: 'About one false alarm a year.',
      now: [
        {
          ...{ signal: 'input shift', metric: 'net_in_mb_s', profile: 'database' },
          ...{ since: iso(3_600_000), until: null, fallsBack: true },
          detail: 'Network in of database servers is 10 × what it was a week ago',
        },
      ],
      recent: [],
    },
  }
}
