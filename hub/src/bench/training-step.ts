import { graphsFolder } from '@harbinger/model-training/model/shipped'
import type { Device } from '@harbinger/model-training/onnx/device'
import { openTraining, type TrainingState } from '@harbinger/model-training/onnx/training'
import { initialWeights } from '@harbinger/model-training/train/initial-weights'
import { trainingBatch } from '@harbinger/model-training/train/training-batch'

/** Median of so many training steps on a device, after one that warms up; the windows are empty, the work is not less. */
export async function trainingStepMs(device: Device, steps: number): Promise<number> {
  const training = await openTraining(graphsFolder, { device })
  const { contract } = training
  const scale = new Float32Array(contract.thetaSize - contract.trainableSize).fill(1)
  let state: TrainingState = {
    theta: initialWeights(contract, { seed: 1, profileScale: scale }),
    m: new Float32Array(contract.trainableSize),
    v: new Float32Array(contract.trainableSize),
  }
  const batch = trainingBatch(contract.train.batch)
  const took: number[] = []
  for (let step = 1; step <= steps + 1; step++) {
    const began = performance.now()
    state = await training.step(state, batch, { step, lr: 1e-3 })
    took.push(performance.now() - began)
  }
  await training.close()
  return took.slice(1).sort((a, b) => a - b)[Math.floor(steps / 2)]!
}
