import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { RunTrainProgress } from './run-train.ts'
import type { TrainJob, TrainMessage } from './train-worker.ts'

export type RunningTraining = {
  /** The folder and id of the model, or an error that says why there is none. */
  readonly finished: Promise<{ readonly folder: string; readonly id: string }>
  /** Ends the training; its checkpoint stays, and the same job goes on from there. */
  readonly cancel: () => void
}

/** Trains in a process of its own with low priority, so that a hub beside it keeps its pace. */
export function startTraining(
  job: TrainJob,
  {
    onProgress,
    onWarning,
  }: {
    readonly onProgress?: (progress: RunTrainProgress) => void
    readonly onWarning?: (sentence: string) => void
  } = {},
): RunningTraining {
  const child = fork(join(import.meta.dirname, 'train-worker.ts'), { stdio: 'inherit' })
  let cancelled = false
  const finished = new Promise<{ folder: string; id: string }>((resolve, reject) => {
    child.on('message', (message: TrainMessage) => {
      if (message.kind === 'progress') onProgress?.(message.progress)
      if (message.kind === 'warning') onWarning?.(message.sentence)
      if (message.kind === 'done') resolve({ folder: message.folder, id: message.id })
      if (message.kind === 'failed') reject(new Error(message.message))
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      const why = cancelled ? 'cancelled' : `ended with ${signal ?? `exit code ${code}`}`
      reject(new Error(`the training was ${why}`.replace('was ended', 'ended')))
    })
  })
  child.send(job)
  return {
    finished,
    cancel: () => {
      cancelled = true
      child.kill()
    },
  }
}
