import { alertFeatures } from '@harbinger/shared/alerts/alert-score'
import { minuteMs } from '@harbinger/shared/window/series'
import { simulatedHistory } from '../history/simulated-history.ts'
import { baseModelFolder } from '../model/shipped.ts'
import { openInference } from '../onnx/inference.ts'
import { earliestMs, judgeTrack, latestMs } from './alert-runs.ts'
import { collect, originsOf } from './collect.ts'
import { incidentsOf } from './find-incidents.ts'
import { criticalRules } from './incident-rules.ts'
import { openOutlooks } from './incidents.ts'
import { fitLogistic } from './logistic.ts'

/*
 * Prints the table of shared/src/alerts/alert-weights.ts, fitted on what a model says of simulated fleets with the
 * faults that training shows; the held-out faults are never seen here. To be run again whenever the model changes:
 *
 *     node model-training/src/backtest/fit-alerts.ts [model] [fleets] [servers] [days]
 */

const [model = baseModelFolder, fleets = '4', servers = '90', days = '4'] = process.argv.slice(2)
const firstSeed = 201
const dayMs = 24 * 60 * minuteMs
const startAt = Date.UTC(2025, 4, 5)
/** So many incidents and more are enough to weigh a dozen features; with fewer the forecast alone speaks. */
const fewest = 20

const inference = await openInference(model)
const rows = criticalRules.map(() => ({
  features: [] as (readonly number[])[],
  came: [] as number[],
}))
const incidentCounts = criticalRules.map(() => 0)

for (let fleet = 0; fleet < Number(fleets); fleet++) {
  const history = simulatedHistory({
    ...{ seed: firstSeed + fleet, servers: Number(servers), startAt },
    ...{ days: 8 + Number(days), stepMinutes: 1, faultsPerServerDay: 0.3 },
  })
  const outlook = openOutlooks(history)
  const seen = criticalRules.map(() =>
    history.servers.map(() => new Map<number, readonly number[]>()),
  )
  await collect({
    ...{ history, models: [{ id: 'fitted', inference }], baselines: [], shortenEvery: 0 },
    origins: originsOf(history, { from: startAt + 8 * dayMs, to: history.to, every: 15 }),
    onForecast: (place, said) =>
      criticalRules.forEach((rule, r) => {
        const found = outlook(rule, place, said)
        if (found) seen[r]![place.server]!.set(place.now, alertFeatures(found))
      }),
    clock: () => performance.now(),
  })
  criticalRules.forEach(({ metric, limitOf }, r) =>
    history.servers.forEach((server, place) => {
      const limit = limitOf(server)
      if (limit === undefined) return
      const { intervalMinutes } = history
      const incidents = incidentsOf(server.series, { metric, limit, intervalMinutes })
      const at = [...seen[r]![place]!.keys()]
      const { coming, inIncident } = judgeTrack({ server: place, incidents, at, score: [] })
      at.forEach((now, i) => {
        if (inIncident[i]) return
        rows[r]!.features.push(seen[r]![place]!.get(now)!)
        rows[r]!.came.push(coming[i] ? 1 : 0)
      })
      incidentCounts[r]! += incidents.filter(
        ({ start }) => start >= at[0]! + earliestMs && start <= at.at(-1)! + latestMs,
      ).length
    }),
  )
  console.error(`fleet ${fleet + 1} of ${fleets}: ${incidentCounts.join(' ')} incidents`)
}
await inference.close()
console.log(
  JSON.stringify(
    Object.fromEntries(
      criticalRules.flatMap(({ metric }, r) => {
        if (incidentCounts[r]! < fewest) return []
        const { features, came } = rows[r]!
        return [[metric, fitLogistic(features, came).map((w) => Number(w.toPrecision(4)))]]
      }),
    ),
    null,
    2,
  ),
)
