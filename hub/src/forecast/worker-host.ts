import { SHARE_ENV, Worker } from 'node:worker_threads'
import type { Log } from '../log.ts'
import type { Answer, Question } from './worker-messages.ts'

// Over a union, Omit would keep only what all members share.
type Unnumbered<Q> = Q extends Question ? Omit<Q, 'number'> : never

export type WorkerHost = ReturnType<typeof workerHost>

export type WorkerHostOptions = {
  readonly file: URL
  readonly log: Log
  /** Called whenever a worker is new and knows nothing yet; until it is done there is no worker. */
  readonly prepare: (ask: (question: Unnumbered<Question>) => Promise<Answer>) => Promise<void>
  /** First pause before a worker that ended is started again; it doubles up to a minute. Default 1,000. */
  readonly firstPauseMs?: number
  /** A worker that takes longer for one answer is ended. Default 60,000. */
  readonly patienceMs?: number
}

type Waiting = {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

const longestPauseMs = 60_000

/**
 * Keeps one worker thread alive: when it ends, everything it was asked is rejected at once, and after a pause another
 * one takes its place.
 */
export function workerHost(options: WorkerHostOptions) {
  const { file, log, prepare, firstPauseMs = 1000, patienceMs = 60_000 } = options
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let isReady = false
  let isClosed = false
  let number = 0
  let pauseMs = firstPauseMs
  let restart: NodeJS.Timeout | undefined
  let restarts = 0
  let lastEnd = ''

  function askOf(to: Worker, question: Unnumbered<Question>, transfer: ArrayBuffer[] = []) {
    return new Promise<Answer>((resolve, reject) => {
      const own = ++number
      const timer = setTimeout(() => {
        lastEnd = `it gave no answer for ${Math.round(patienceMs / 1000)} s`
        void to.terminate()
      }, patienceMs)
      waiting.set(own, { resolve, reject, timer })
      to.postMessage({ ...question, number: own }, transfer)
    })
  }

  async function start(): Promise<void> {
    // Shared, because libraries read the environment of the process, not the worker's copy of it.
    const started = new Worker(file, { env: SHARE_ENV })
    worker = started
    started.on('message', (answer: Answer) => {
      const asked = waiting.get(answer.number)
      if (!asked) return
      waiting.delete(answer.number)
      clearTimeout(asked.timer)
      asked.resolve(answer)
    })
    started.on('error', (error: Error) => {
      lastEnd = error.message
      log.error({ err: error }, 'the forecast worker failed')
    })
    started.on('exit', (code) => ended(code))
    try {
      await prepare((question) => askOf(started, question))
      isReady = worker === started
    } catch {
      // It ended while it was being prepared; `ended` sees to the rest.
    }
  }

  function ended(code: number): void {
    worker = undefined
    isReady = false
    const reason = lastEnd || `it ended with code ${code}`
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer)
      reject(new Error(reason))
    }
    waiting.clear()
    if (isClosed) return
    log.warn({ reason, pauseMs }, 'the forecast worker ended and is started again')
    restart = setTimeout(() => {
      restarts++
      lastEnd = ''
      void start()
    }, pauseMs)
    pauseMs = Math.min(longestPauseMs, pauseMs * 2)
  }

  return {
    start,
    isReady: (): boolean => isReady,
    restarts: (): number => restarts,

    /** Rejects when there is no worker, or when it ends before it answers. */
    async ask(question: Unnumbered<Question>, transfer?: ArrayBuffer[]): Promise<Answer> {
      if (!worker || !isReady) throw new Error(lastEnd || 'it is being started')
      const answer = await askOf(worker, question, transfer)
      pauseMs = firstPauseMs
      return answer
    },

    async close(): Promise<void> {
      isClosed = true
      clearTimeout(restart)
      await worker?.terminate()
    },
  }
}
