import { loadHistory } from '../history/load-history.ts'
import { simulatedHistory } from '../history/simulated-history.ts'
import { readManifest, rewriteCalibration } from '../model/calibration-file.ts'
import { baseModelFolder } from '../model/shipped.ts'
import { openInference } from '../onnx/inference.ts'
import { fitCalibration } from './fit.ts'
import { servingBaselines } from './serving-baselines.ts'

/*
 * Calibrates a model folder anew, on days of the real trace and on a simulated fleet of its own:
 *
 *     node model-training/src/calibration/main.ts HISTORY [fromDay] [toDay] [folder]
 *
 * The days must be neither learnt from nor reported on; by default they are the last four before the reported ones.
 */

const [path, fromDay = '21', toDay = '25', folder = baseModelFolder] = process.argv.slice(2)
const dayMs = 86_400_000

const real = await loadHistory(path!, { onWarning: console.warn })
const simulated = simulatedHistory({
  ...{ servers: 60, stepMinutes: 5, seed: 91, startAt: Date.UTC(2025, 6, 7), days: 12 },
})
const inference = await openInference(folder)
let told = 0
const calibration = await fitCalibration({
  inference,
  baselines: servingBaselines(readManifest(folder).serves),
  stretches: [
    {
      history: real,
      from: real.from + Number(fromDay) * dayMs,
      to: real.from + Number(toDay) * dayMs,
    },
    { history: simulated, from: simulated.from + 8 * dayMs, to: simulated.to },
  ],
  onProgress: (share) => {
    if (share - told < 0.1) return
    told = share
    console.log(`calibrated ${Math.round(100 * share)} %`)
  },
})
await inference.close()
rewriteCalibration(folder, calibration)
console.log(`${calibration.cells.length} cells, ${calibration.chances.length} curves of chance`)
