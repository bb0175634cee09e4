import type { GraphContract } from '../onnx/training.ts'
import { randomStream } from './random.ts'

/** Weights before the first step, as the definition says each begins; the profile scales fill the tail. */
export function initialWeights(
  { thetaSize, trainableSize, parameters }: GraphContract,
  { seed, profileScale }: { readonly seed: number; readonly profileScale: Float32Array },
): Float32Array {
  const theta = new Float32Array(thetaSize)
  parameters.forEach(({ shape, offset, init }, i) => {
    const size = shape.reduce((a, b) => a * b, 1)
    if (init.kind === 'ones') theta.fill(1, offset, offset + size)
    if (init.kind !== 'uniform') return
    const random = randomStream(seed, i)
    for (let k = offset; k < offset + size; k++) theta[k] = (2 * random() - 1) * init.bound
  })
  theta.set(profileScale, trainableSize)
  return theta
}
