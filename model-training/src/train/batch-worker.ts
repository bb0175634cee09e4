import { parentPort, workerData } from 'node:worker_threads'
import { type TrainingBatch, trainingBatch } from './training-batch.ts'
import { drawBatch, type Source } from './training-set.ts'

/* The thread that `openBatchesAhead` starts: a place in, its batch out. */

export type AheadJob = {
  /** Their numbers lie in shared memory. */
  readonly sources: readonly Source[]
  readonly seed: number
  readonly size: number
}

export type AheadAnswer = { readonly place: number } & (
  { readonly batch: TrainingBatch } | { readonly problem: string }
)

const { sources, seed, size } = workerData as AheadJob

parentPort!.on('message', (place: number) => {
  try {
    const batch = drawBatch(trainingBatch(size), sources, { seed, place })
    const answer: AheadAnswer = { place, batch }
    const buffers = Object.values(batch).flatMap((tensor) =>
      typeof tensor === 'number' ? [] : [tensor.buffer as ArrayBuffer],
    )
    parentPort!.postMessage(answer, buffers)
  } catch (error) {
    const answer: AheadAnswer = { place, problem: (error as Error).message }
    parentPort!.postMessage(answer)
  }
})
