import { baselineNames } from '@harbinger/shared/forecast/baseline-names'
import { baselineCore, fillCore } from '@harbinger/shared/forecast/baselines'
import { leadBucket } from '@harbinger/shared/forecast/baseline-widths'
import { peakMinutes, quantileLevels } from '@harbinger/shared/forecast/quantiles'
import { horizonSteps as F, V, windowBatch } from '@harbinger/shared/window/window-batch'
import { loadHistory } from '../history/load-history.ts'
import { cutWindow } from '../windows/cut-window.ts'
import { fillTruth, truthBatch } from '../windows/truth.ts'

/*
 * Prints the tables of shared/src/forecast/baseline-widths.ts, fitted on the days before those that are reported on:
 *
 *     node model-training/src/backtest/fit-widths.ts ../shared/data/real-servers-dev.parquet 8 25
 */

const [path, fromDay = '8', toDay = '25'] = process.argv.slice(2)
const dayMs = 86_400_000
const horizonMs = dayMs / 3
/** Not a divisor of a day, so that origins fall on all hours. */
const everyMs = 7.25 * 3_600_000
const P = peakMinutes.length

/** Errors in units of the baseline's own, and what each weighs in the weighted quantile loss. */
type Errors = { readonly error: number[]; readonly unit: number[]; readonly v: number[] }
const buckets = (): Errors[] => Array.from({ length: 3 }, () => ({ error: [], unit: [], v: [] }))

const history = await loadHistory(path!)
const batch = windowBatch(1)
const truth = truthBatch(1)
const core = baselineCore()
const found = baselineNames.map((name) => ({ name, steps: buckets(), peaks: buckets() }))
const total = { steps: new Float64Array(V), peaks: new Float64Array(V) }

const end = history.from + Number(toDay) * dayMs - horizonMs
for (let now = history.from + Number(fromDay) * dayMs; now <= end; now += everyMs) {
  for (const server of history.servers) {
    const windowEnd = cutWindow(batch, 0, { server, now })
    if (windowEnd === undefined) continue
    fillTruth(truth, 0, { series: server.series, end: windowEnd })
    for (let v = 0; v < V; v++) addMetric(v)
  }
}
console.log(
  JSON.stringify(
    Object.fromEntries(
      found.map(({ name, steps, peaks }) => [
        name,
        {
          steps: steps.map((errors) => weightedQuantiles(errors, total.steps)),
          peaks: peaks.map((errors) => weightedQuantiles(errors, total.peaks)),
        },
      ]),
    ),
  ),
)

function addMetric(v: number): void {
  for (let f = 0; f < F; f++) total.steps[v]! += truth.truth[f * V + v]!
  for (let p = 0; p < P; p++) total.peaks[v]! += truth.peakTruth[p * V + v]!
  for (const { name, steps, peaks } of found) {
    fillCore(core, { batch, row: 0, v }, name)
    for (let f = 0; f < F; f++) {
      if (truth.truthKnown[f * V + v] === 0) continue
      const bucket = leadBucket(f)
      const unit = core.stepErrors[bucket]!
      note(steps[bucket]!, { error: truth.truth[f * V + v]! - core.path[f]!, unit, v })
    }
    for (let p = 0; p < P; p++) {
      if (truth.peakKnown[p * V + v] === 0) continue
      const error = truth.peakTruth[p * V + v]! - core.peakCentres[p]!
      note(peaks[p]!, { error, unit: core.peakErrors[p]!, v })
    }
  }
}

function note(
  into: Errors,
  { error, unit, v }: { readonly error: number; readonly unit: number; readonly v: number },
): void {
  into.error.push(error / unit)
  into.unit.push(unit)
  into.v.push(v)
}

/** The quantiles that minimise the weighted quantile loss: each error weighs its unit over the metric's total. */
function weightedQuantiles({ error, unit, v }: Errors, totals: Float64Array): number[] {
  const order = Uint32Array.from(error.keys()).sort((a, b) => error[a]! - error[b]!)
  const weight = (i: number): number => unit[i]! / totals[v[i]!]!
  const all = order.reduce((sum, i) => sum + weight(i), 0)
  let at = 0
  let below = 0
  return quantileLevels.map((level) => {
    while (at < order.length - 1 && below + weight(order[at]!) < level * all) {
      below += weight(order[at]!)
      at++
    }
    return Number(error[order[at]!]!.toFixed(2))
  })
}
