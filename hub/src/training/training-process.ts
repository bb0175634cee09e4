import { setPriority } from 'node:os'
import { resourceUsage } from 'node:process'
import { loadHistory } from '@harbinger/model-training/history/load-history'
import { graphsFolder } from '@harbinger/model-training/model/shipped'
import { compareModels } from '@harbinger/model-training/promotion/compare-models'
import { runTrain } from '@harbinger/model-training/train/run-train'
import { splitHistory } from '@harbinger/model-training/train/split-history'
import { readOwnHistory } from './own-history.ts'
import type {
  FromTraining,
  JudgeJob,
  TrainJob,
  TrainingProgress,
  ToTraining,
} from './training-messages.ts'

/*
 * The process that `startTraining` forks: it takes one job from its parent, works at low priority, reports and ends.
 * A hub beside it keeps its pace.
 */

const lowPriority = 15

const tell = (message: FromTraining): void => void process.send?.(message)
const onWarning = (sentence: string): void => tell({ kind: 'warning', sentence })
const onProgress = (progress: TrainingProgress): void => tell({ kind: 'progress', progress })

process.once('message', (job: ToTraining) => {
  setPriority(lowPriority)
  const work = job.task === 'train' ? learn(job) : judge(job)
  work.then(
    (outcome) => {
      // Of Linux in kilobytes: the most this process ever held.
      const peakMemoryMb = Math.round(resourceUsage().maxRSS / 1024)
      tell({ kind: 'done', peakMemoryMb, ...outcome })
      process.disconnect?.()
    },
    (error: unknown) => {
      tell({ kind: 'failed', message: (error as Error).message })
      process.disconnect?.()
    },
  )
})

// A parent that is gone has nobody left to report to; the checkpoint keeps what was done.
process.once('disconnect', () => process.exit())

async function read({ history }: TrainJob | JudgeJob) {
  if (history.kind === 'own') return readOwnHistory({ ...history, onWarning })
  return loadHistory(history.file, {
    maxMinutes: 4_000_000,
    onWarning,
    onProgress: ({ share }) => onProgress({ stage: 'reading', share }),
  })
}

async function learn(job: TrainJob) {
  const { task: _, history: __, ...options } = job
  const { folder, manifest, comparison } = await runTrain({
    ...options,
    fleet: await read(job),
    clock: Date.now,
    onProgress,
    onWarning,
  })
  return { folder, id: manifest.id, comparison }
}

async function judge(job: JudgeJob) {
  const history = await read(job)
  const { reportFrom } = splitHistory(history)
  const comparison = await compareModels({
    ...{ history, from: job.from ?? reportFrom, to: history.to, graphs: graphsFolder },
    ...{
      challenger: job.challenger,
      champion: job.champion,
      clock: Date.now,
      threads: job.threads,
    },
    onProgress: (progress) => onProgress({ stage: 'comparing', ...progress }),
  })
  return { folder: job.challenger, id: job.id, comparison }
}
