import { join } from 'node:path'
import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import {
  historySteps,
  horizonSteps,
  V,
  type WindowBatch,
} from '@harbinger/shared/window/window-batch'
import { openSession } from './session.ts'
import { floatsOf, windowFeeds } from './tensors.ts'

/** Numbers per window of each output of the network. */
export const forecastWidths = {
  quantiles: horizonSteps * V * Q,
  peaks: peakMinutes.length * V * Q,
  selectionPast: V + 1,
  selectionFuture: V + 1,
  attention: historySteps,
} as const

/** What the network says of a batch of windows, row by row. */
export type NetworkForecast = { readonly [name in keyof typeof forecastWidths]: Float32Array }

export type Inference = {
  readonly infer: (batch: WindowBatch) => Promise<NetworkForecast>
  readonly close: () => Promise<void>
}

/** More rows at a time fall out of the processor's cache (model-training/LOG.md, "Inference"). */
const chunkRows = 32

export type InferenceOptions = {
  /** Default 2. */
  readonly threads?: number
  /** Default cpu. */
  readonly device?: 'cpu' | 'webgpu' | 'cuda'
}

/** Opens the network of a model folder: `infer.onnx` with `weights.bin` beside it. */
export async function openInference(
  folder: string,
  { threads = 2, device = 'cpu' }: InferenceOptions = {},
): Promise<Inference> {
  const session = await openSession(join(folder, 'infer.onnx'), { threads, device })

  async function infer(batch: WindowBatch): Promise<NetworkForecast> {
    const out = Object.fromEntries(
      Object.entries(forecastWidths).map(([name, width]) => [
        name,
        new Float32Array(batch.size * width),
      ]),
    ) as { [name in keyof typeof forecastWidths]: Float32Array }
    for (let from = 0; from < batch.size; from += chunkRows) {
      const to = Math.min(batch.size, from + chunkRows)
      const answer = await session.run(windowFeeds(batch, from, to))
      for (const [name, width] of Object.entries(forecastWidths)) {
        out[name as keyof typeof forecastWidths].set(floatsOf(answer, name), from * width)
      }
    }
    return out
  }

  return { infer, close: () => session.release() }
}
