import { expect, test } from 'vitest'
import { chooseContenders } from './choose.ts'
import type { BacktestReport, Slice } from './report.ts'

type Losses = { readonly model: number | null; readonly theta: number; readonly last: number }

const slice = ({ model, theta, last }: Losses, windows = 500, servers = 10): Slice => ({
  ...{ model, ratio: null, coverage80: null, width: null, n: 32 * windows, windows, servers },
  baselines: { 'theta-like': theta, 'last-value': last },
  bestBaseline: theta < last ? 'theta-like' : 'last-value',
})

const report = (
  byMetric: BacktestReport['byMetric'],
  byProfileAndMetric: BacktestReport['byProfileAndMetric'] = {},
  history = 'fleet',
) =>
  ({
    history,
    from: '2026-03-01',
    to: '2026-03-05',
    byMetric,
    byProfileAndMetric,
  }) as BacktestReport

const metrics = ['load_average', 'mem_used_pct']

test('the contender with the smallest loss serves, and the reason has the figures', () => {
  const serves = chooseContenders(
    [
      report({
        load_average: slice({ model: 0.1, theta: 0.2, last: 0.3 }),
        mem_used_pct: slice({ model: 0.1, theta: 0.3, last: 0.09 }),
      }),
    ],
    metrics,
  )
  expect(serves['load_average']).toEqual({
    contender: 'model',
    reason:
      'weighted quantile loss on fleet from 2026-03-01 to 2026-03-05: model 0.1000, theta-like 0.2000',
  })
  expect(serves['mem_used_pct']).toMatchObject({
    contender: 'last-value',
    reason: expect.stringContaining('model 0.1000, last-value 0.0900'),
  })
})

test('a profile with enough windows and servers has its own contender, another has not', () => {
  const good = { model: 0.1, theta: 0.2, last: 0.3 }
  const bad = { model: 0.4, theta: 0.2, last: 0.3 }
  const serves = chooseContenders(
    [
      report(
        { load_average: slice(good) },
        {
          database: { load_average: slice(bad, 200, 3) },
          web_api: { load_average: slice(bad, 199, 3) },
          generic: { load_average: slice(bad, 5000, 2) },
          unknown: { load_average: slice(bad) },
        },
      ),
    ],
    metrics,
  )
  expect(serves['load_average']!.contender).toBe('model')
  expect(serves['load_average']!.profiles).toEqual({
    database: {
      contender: 'theta-like',
      reason: expect.stringContaining('on servers of database: model 0.4000, theta-like 0.2000'),
    },
  })
})

test('the first selection that has a metric decides', () => {
  const first = report({ load_average: slice({ model: 0.3, theta: 0.2, last: 0.3 }) }, {}, 'real')
  const second = report({
    load_average: slice({ model: 0.1, theta: 0.2, last: 0.3 }),
    mem_used_pct: slice({ model: 0.1, theta: 0.2, last: 0.3 }),
  })
  const serves = chooseContenders([first, second], metrics)
  expect([serves['load_average']!.contender, serves['mem_used_pct']!.contender]).toEqual([
    'theta-like',
    'model',
  ])
})

test('a metric that was never learnt or never measured is not served by the model', () => {
  const found = report({ swap_used_pct: slice({ model: 0.1, theta: 0.2, last: 0.3 }) })
  const serves = chooseContenders([found], metrics)
  expect(serves['swap_used_pct']).toMatchObject({
    contender: 'theta-like',
    reason: expect.stringMatching(/^not in the training data; on fleet/),
  })
  expect(serves['load_average']).toEqual({
    contender: 'seven-day-mean-level',
    reason: 'nothing was measured to choose a contender by',
  })
})
