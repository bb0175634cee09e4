import { Worker } from 'node:worker_threads'
import type { Series } from '@harbinger/shared/window/series'
import type { AheadAnswer, AheadJob } from './batch-worker.ts'
import type { TrainingBatch } from './training-batch.ts'
import type { Source } from './training-set.ts'

/** Batches drawn beside the training graph instead of between its steps. */
export type BatchesAhead = {
  /** The batch of a place: what `drawBatch` draws there, and the next places are begun meanwhile. */
  readonly at: (place: number) => Promise<TrainingBatch>
  readonly close: () => Promise<void>
}

/** One is being learnt from, one lies ready, one is being cut. */
const ahead = 2

type Waiting = {
  readonly promise: Promise<TrainingBatch>
  readonly resolve: (batch: TrainingBatch) => void
  readonly reject: (reason: Error) => void
}

/**
 * Opens a thread that cuts windows: `session.run` blocks the thread it is called on, so windows that are cut there wait
 * for the graph and the graph for them. `seed` and place alone decide what a batch holds, in this thread as in any.
 * The histories' numbers move into memory that both threads read; nothing is copied twice.
 */
export function openBatchesAhead(
  sources: readonly Source[],
  { seed, size }: { readonly seed: number; readonly size: number },
): BatchesAhead {
  for (const { history } of sources) history.servers.forEach(({ series }) => share(series))
  const job: AheadJob = { sources, seed, size }
  const worker = new Worker(new URL('./batch-worker.ts', import.meta.url), { workerData: job })
  const waiting = new Map<number, Waiting>()
  let ended: Error | undefined

  function ask(place: number): Waiting {
    const known = waiting.get(place)
    if (known) return known
    const asked: Waiting = Promise.withResolvers<TrainingBatch>()
    // Whoever asked ahead may never come for it.
    asked.promise.catch(() => undefined)
    waiting.set(place, asked)
    if (ended) asked.reject(ended)
    else worker.postMessage(place)
    return asked
  }
  function end(error: Error): void {
    ended ??= error
    for (const { reject } of waiting.values()) reject(ended)
  }
  worker.on('message', ({ place, ...answer }: AheadAnswer) => {
    const asked = waiting.get(place)
    if ('batch' in answer) asked?.resolve(answer.batch)
    else asked?.reject(new Error(answer.problem))
  })
  worker.once('error', end)
  worker.once('exit', (code) => end(new Error(`the thread that cuts windows ended (code ${code})`)))

  return {
    at: async (place) => {
      const batch = ask(place).promise
      for (let next = place + 1; next <= place + ahead; next++) ask(next)
      // A place behind is not gone back to.
      for (const old of waiting.keys()) if (old < place) waiting.delete(old)
      try {
        return await batch
      } finally {
        waiting.delete(place)
      }
    },
    close: async () => {
      await worker.terminate()
    },
  }
}

type Numbers = Float32Array | Uint16Array | Uint8Array

/** Moves a series' numbers, in place, to memory that another thread can read. */
function share(series: Series): void {
  const moved = Object.entries(series).flatMap(([name, values]) =>
    ArrayBuffer.isView(values) && !(values.buffer instanceof SharedArrayBuffer)
      ? [[name, shared(values as Numbers)] as const]
      : [],
  )
  Object.assign(series, Object.fromEntries(moved))
}

function shared(values: Numbers): Numbers {
  const memory = new SharedArrayBuffer(values.byteLength)
  const Kind = values.constructor as new (memory: SharedArrayBuffer) => Numbers
  const copy = new Kind(memory)
  copy.set(values)
  return copy
}
