import { expect, test } from 'vitest'
import type { ServerForecast } from '../forecast/server-forecast.ts'
import { loadForecasts } from './keep-forecasts.ts'
import { keepForecasts } from './keep-forecasts.ts'
import { openStores } from './stores.ts'

const forecast = (server: string, issuedAt: number): ServerForecast => ({
  server,
  issuedAt,
  windowEnd: issuedAt - 5,
  abstained: null,
  metrics: {
    mem_used_pct: {
      source: 'model:x',
      sourceReason: 'it was better – größer',
      quantiles: Float32Array.from({ length: 224 }, (_, i) => i / 3),
      peaks: Float32Array.from({ length: 21 }, (_, i) => -i),
    },
    uptime_days: {
      source: 'baseline:clock',
      sourceReason: 'time passes',
      quantiles: new Float32Array(224).fill(9),
      peaks: new Float32Array(21).fill(9),
    },
  },
})

test('a hub that starts again has the forecasts it served, with the time they were made', async () => {
  const stores = openStores(':memory:')
  for (const name of ['a', 'b']) stores.servers.register(name, 1)
  const silent = { ...forecast('b', 20), abstained: 'no sample for 40 minutes', metrics: {} }
  await keepForecasts(stores, [forecast('a', 10), forecast('b', 10)])
  await keepForecasts(stores, [forecast('a', 20), silent])
  const found: ServerForecast[] = []
  loadForecasts(stores, (made) => found.push(made))
  expect(found).toContainEqual(forecast('a', 20))
  expect(found).toContainEqual(silent)
  expect(found).toHaveLength(2)
})
