import { balanceParts } from '@harbinger/shared/forecast/balance'
import { openCalibration } from '@harbinger/shared/forecast/calibrate'
import type { Calibration } from '@harbinger/shared/forecast/calibration'
import { settle } from '@harbinger/shared/forecast/settle'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { profiles } from '@harbinger/shared/profiles'
import { metricNumbers, pickMetric, placeMetric } from '../calibration/pick-metric.ts'
import type { Inference } from '../onnx/inference.ts'

/** A model as it is served: what the network says, corrected by the calibration in its folder. */
export function calibratedInference(inference: Inference, calibration: Calibration): Inference {
  const calibrate = openCalibration(calibration)
  const all = networkMetricNames.map(() => metricNumbers())
  return {
    ...inference,
    async infer(batch) {
      const made = await inference.infer(batch)
      for (let row = 0; row < batch.size; row++) {
        const id = Number(batch.profile[row])
        const profile = id > 0 ? profiles[id - 1] : undefined
        const sound = networkMetricNames.map((metric, v) => {
          const numbers = pickMetric(made, row, v, all[v])
          calibrate(numbers, { contender: 'model', profile, v })
          return settle(numbers, metric)
        })
        const soundNumbers = (v: number) => (sound[v] ? all[v] : undefined)
        balanceParts((name) => soundNumbers(networkMetricNames.indexOf(name as never)))
        for (let v = 0; v < all.length; v++) {
          // What is no number stays as it is: the checks that follow are to see it.
          if (sound[v]) placeMetric(made, row, v, all[v]!)
        }
      }
      return made
    },
  }
}
