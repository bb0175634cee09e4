import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FleetHistory } from '../history/fleet-history.ts'
import { loadHistory } from '../history/load-history.ts'
import { simulatedHistory } from '../history/simulated-history.ts'
import { baseModelFolder, graphsFolder } from '../model/shipped.ts'
import { trainModel } from '../train/run-train.ts'
import type { Source } from '../train/training-set.ts'

/*
 * Trains the base model that a new hub starts with, on the real trace and on simulated fleets, as told in LOG.md:
 *
 *     node model-training/src/base-model/main.ts ../shared/data/real-servers-dev.parquet [steps] [out]
 *
 * Days 0–25 of the trace are learnt from, days 25–30 are reported on.
 */

const [path, steps = '1600', out = baseModelFolder] = process.argv.slice(2)
const seed = 1
const dayMs = 86_400_000
/** How often simulated windows are drawn beside real ones. */
const simulatedWeight = 0.35

const real = await loadHistory(path!, { onWarning: console.warn })
const reportFrom = real.from + 25 * dayMs

const startAt = Date.UTC(2025, 2, 3)
const fleet = { servers: 90, stepMinutes: 1 } as const
const simulated = [
  simulatedHistory({ ...fleet, seed: 11, startAt, days: 16 }),
  simulatedHistory({ ...fleet, seed: 12, startAt: startAt + 30 * dayMs, days: 16, calm: true }),
  simulatedHistory({
    ...{ ...fleet, seed: 13, startAt: startAt + 100 * dayMs, days: 12 },
    faultsPerServerDay: 0.3,
  }),
]
/** Other servers at another time, to stop early by; and a third fleet with faults nobody trained on, to report on. */
const heldOut = simulatedHistory({ ...fleet, seed: 77, startAt: startAt + 60 * dayMs, days: 12 })
const report = simulatedHistory({
  ...{ ...fleet, servers: 60, seed: 78, startAt: startAt + 75 * dayMs, days: 11 },
  heldOutFaults: true,
})

const lately = (history: FleetHistory, from: number, to = history.to): Source => ({
  ...{ history, weight: 1, from, to },
})

let told = 0
const { manifest } = await trainModel({
  ...{ graphs: graphsFolder, out, seed, steps: Number(steps), clock: Date.now },
  id: 'base-1',
  parent: null,
  checkpoints: join(tmpdir(), 'harbinger-base-model'),
  sources: [
    lately(real, real.from, reportFrom),
    ...simulated.map((history) => ({
      ...lately(history, history.from),
      weight: simulatedWeight / simulated.length,
    })),
  ],
  // The real days that stop the run are learnt from as well: the ones reported on are never seen.
  validation: [
    lately(real, reportFrom - 4 * dayMs, reportFrom),
    lately(heldOut, heldOut.from + 8 * dayMs),
  ],
  judgedOn: [
    { history: real, from: reportFrom, to: real.to },
    { history: report, from: report.from + 8 * dayMs, to: report.to },
  ],
  patience: Infinity,
  onProgress: (progress) => {
    if (progress.stage === 'training' && progress.judged) {
      const { step, steps: all, loss, etaMs, judged } = progress
      const each = judged.bySource.map((wql) => wql.toFixed(4)).join(' ')
      console.log(
        `${step}/${all} loss ${loss.toFixed(4)} WQL ${each}, ${Math.round(etaMs / 1000)} s left`,
      )
    }
    if (progress.stage === 'judging' && progress.share - told > 0.2) {
      told = progress.share
      console.log(`judged ${Math.round(100 * progress.share)} %`)
    }
  },
})
console.log(JSON.stringify({ scores: manifest.scores, serves: manifest.serves }, null, 2))
