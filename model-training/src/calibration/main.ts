import {
  chosenFrom,
  heldOutFleet,
  reportedFleet,
  reportedFrom,
  stretch,
} from '../base-model/sources.ts'
import { loadHistory } from '../history/load-history.ts'
import { readManifest, rewriteCalibration } from '../model/calibration-file.ts'
import { baseModelFolder } from '../model/shipped.ts'
import { openInference } from '../onnx/inference.ts'
import { fitCalibration } from './fit.ts'
import { judgeCalibration } from './judge.ts'
import { servingBaselines } from './serving-baselines.ts'

/*
 * Calibrates a model folder anew, on the days that chose who serves:
 *
 *     node model-training/src/calibration/main.ts HISTORY [folder] [every] [report]
 *
 * Days 22–25 of the trace and a simulated fleet of its own, neither learnt from nor reported on; `every` is the minutes
 * between origins, default 120. With `report` it also judges the days and the fleet that are reported on.
 */

const [path, folder = baseModelFolder, every = '120', report] = process.argv.slice(2)
if (path === undefined) throw new Error('which trace? name its file')
const dayMs = 86_400_000

const real = await loadHistory(path, { onWarning: console.warn })
const heldOut = heldOutFleet()
const inference = await openInference(folder)
const { serves } = readManifest(folder)
const calibration = await fitCalibration({
  ...{ inference, baselines: servingBaselines(serves), every: Number(every) },
  stretches: [
    stretch(real, real.from + chosenFrom * dayMs, real.from + reportedFrom * dayMs),
    stretch(heldOut, heldOut.from + 8 * dayMs),
  ],
})
rewriteCalibration(folder, calibration)
console.log(`${calibration.cells.length} cells`)
if (report !== undefined) {
  const fleet = reportedFleet()
  for (const of of [
    stretch(real, real.from + reportedFrom * dayMs),
    stretch(fleet, fleet.from + 8 * dayMs),
  ]) {
    const judged = await judgeCalibration({ ...of, calibration, inference, serves })
    console.log(JSON.stringify(judged, (key, value: unknown) => (key === 'byBucket' ? [] : value)))
  }
}
await inference.close()
