import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type {
  FromTraining,
  ToTraining,
  TrainingOutcome,
  TrainingProgress,
} from './training-messages.ts'

export type RunningTraining = {
  readonly pid: number | undefined
  /** What came of it, or an error that says why nothing did. */
  readonly finished: Promise<TrainingOutcome>
  /** Ends the process; its checkpoint stays, and the same job goes on from there. */
  readonly stop: () => void
}

/** Trains in a process of its own with low priority, so that a hub beside it keeps its pace. */
export function startTraining(
  job: ToTraining,
  {
    onProgress,
    onWarning,
  }: {
    readonly onProgress?: (progress: TrainingProgress) => void
    readonly onWarning?: (sentence: string) => void
  } = {},
): RunningTraining {
  const file = fileURLToPath(new URL('./training-process.ts', import.meta.url))
  const child = fork(file, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  let stopped = false
  const finished = new Promise<TrainingOutcome>((resolve, reject) => {
    child.on('message', (message: FromTraining) => {
      if (message.kind === 'progress') onProgress?.(message.progress)
      if (message.kind === 'warning') onWarning?.(message.sentence)
      if (message.kind === 'done') {
        const { kind: _, ...outcome } = message
        resolve(outcome)
      }
      if (message.kind === 'failed') reject(new Error(message.message))
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (stopped) return reject(new Error('the training was cancelled'))
      const killed = signal === 'SIGKILL' ? ' (killed: perhaps the machine ran out of memory)' : ''
      reject(new Error(`the training ended with ${signal ?? `exit code ${code}`}${killed}`))
    })
  })
  // Whoever stops it may not wait for it.
  finished.catch(() => undefined)
  child.send(job)
  return {
    pid: child.pid,
    finished,
    stop: () => {
      stopped = true
      child.kill()
    },
  }
}
