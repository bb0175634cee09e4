import { join } from 'node:path'
import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import {
  historySteps,
  horizonSteps,
  V,
  type WindowBatch,
} from '@harbinger/shared/window/window-batch'
import type { Device } from './device.ts'
import { openSession, type SessionOptions } from './session.ts'
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

/**
 * Windows in one run. On a processor more fall out of its cache (model-training/LOG.md, "Inference"), and 16 cost no more
 * each than 32, hold half the memory and keep who waits for one forecast half as long; a GPU wants many at once to be
 * busy at all.
 */
export const chunkRows: { readonly [device in Device]: number } = {
  cpu: 16,
  webgpu: 256,
  cuda: 256,
}

export type InferenceOptions = Partial<SessionOptions>

/** Opens the network of a model folder: `infer.onnx` with `weights.bin` beside it. Two threads unless told. */
export async function openInference(
  folder: string,
  { threads = 2, device = 'cpu', ...rest }: InferenceOptions = {},
): Promise<Inference & { readonly endProfiling: () => void }> {
  const session = await openSession(join(folder, 'infer.onnx'), { threads, device, ...rest })
  const atOnce = chunkRows[device]

  async function infer(batch: WindowBatch): Promise<NetworkForecast> {
    const out = Object.fromEntries(
      Object.entries(forecastWidths).map(([name, width]) => [
        name,
        new Float32Array(batch.size * width),
      ]),
    ) as { [name in keyof typeof forecastWidths]: Float32Array }
    for (let from = 0; from < batch.size; from += atOnce) {
      const to = Math.min(batch.size, from + atOnce)
      const answer = await session.run(windowFeeds(batch, from, to))
      for (const [name, width] of Object.entries(forecastWidths)) {
        out[name as keyof typeof forecastWidths].set(floatsOf(answer, name), from * width)
      }
    }
    return out
  }

  return { infer, close: () => session.release(), endProfiling: () => session.endProfiling() }
}
