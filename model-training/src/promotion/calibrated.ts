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
  const numbers = metricNumbers()
  return {
    ...inference,
    async infer(batch) {
      const made = await inference.infer(batch)
      for (let row = 0; row < batch.size; row++) {
        const id = Number(batch.profile[row])
        const profile = id > 0 ? profiles[id - 1] : undefined
        for (const [v, metric] of networkMetricNames.entries()) {
          pickMetric(made, row, v, numbers)
          calibrate(numbers, { contender: 'model', profile, v })
          // What is no number stays as it is: the checks that follow are to see it.
          if (!settle(numbers, metric)) continue
          placeMetric(made, row, v, numbers)
        }
      }
      return made
    },
  }
}
