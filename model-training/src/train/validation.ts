import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addWindow, emptyScore, wql } from '../backtest/score.ts'
import { openInference } from '../onnx/inference.ts'
import { trainingBatch } from './training-batch.ts'
import { drawBatch, type Source } from './training-set.ts'

export type Validation = {
  /** WQL of these weights per source, and their mean. */
  readonly judge: (theta: Float32Array) => Promise<{ wql: number; bySource: readonly number[] }>
  readonly close: () => void
}

/** Draws `windows` fixed windows of each source that the training never sees and judges weights by them; the same windows every time. */
export function openValidation(
  sources: readonly Source[],
  {
    graphs,
    seed,
    threads,
    windows,
  }: { graphs: string; seed: number; threads: number; windows: number },
): Validation {
  const batches = sources.map((source, place) =>
    drawBatch(trainingBatch(windows), [source], { seed, place, augment: false }),
  )
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-train-'))
  copyFileSync(join(graphs, 'infer.onnx'), join(folder, 'infer.onnx'))

  return {
    judge: async (theta) => {
      writeFileSync(join(folder, 'weights.bin'), bytesOf(theta))
      const inference = await openInference(folder, { threads })
      const bySource: number[] = []
      for (const batch of batches) {
        const { quantiles } = await inference.infer(batch)
        const score = emptyScore()
        for (let row = 0; row < batch.size; row++)
          addWindow(score, { quantiles, truth: batch, row })
        bySource.push(wql(score))
      }
      await inference.close()
      return { wql: bySource.reduce((a, b) => a + b, 0) / bySource.length, bySource }
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** The bytes of a vector of weights, little-endian as every machine this runs on is. */
export const bytesOf = (vector: Float32Array): Uint8Array =>
  new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
