import { availableParallelism } from 'node:os'
import { modelId } from '@harbinger/model-training/model/manifest'
import type { LossPoint } from '@harbinger/model-training/train/checkpoint'
import type { ProfileRule } from '@harbinger/shared/profiles'
import type { Log } from '../log.ts'
import type { Registry } from '../models/registry.ts'
import type { TrainingReason, TrainingRow, TrainingStore } from '../storage/training-store.ts'
import { isScheduled, mustWait, type TrainingLimits } from './limits.ts'
import { startTraining } from './start-training.ts'
import type { TrainingOutcome, TrainingProgress, TrainJob } from './training-messages.ts'

export type Trainings = ReturnType<typeof openTrainings>

export type TrainingsOptions = {
  readonly store: TrainingStore
  readonly registry: Registry
  readonly limits: TrainingLimits
  readonly dataFolder: string
  readonly minuteDays: number
  readonly profileRules: readonly ProfileRule[]
  /** Simulated servers may stand in for real ones while the demo runs. */
  readonly isDemo: boolean
  readonly now: () => number
  readonly log: Log
  /** For tests; default: a process of its own. */
  readonly start?: typeof startTraining
}

export type TrainingRequest = {
  readonly reason: TrainingReason
  /** Why, in words. */
  readonly detail: string
  /** What to go on from: the model that serves, a model by its id, or nothing; default the model that serves. */
  readonly from?: 'serving' | 'fresh' | (string & {}) | undefined
  readonly minutes?: number | undefined
  readonly steps?: number | undefined
  readonly judgedWindows?: number | undefined
  readonly seed?: number | undefined
}

/** What is known of the training that runs. */
export type LiveProgress = {
  readonly stage: TrainingProgress['stage']
  readonly share: number
  readonly etaMs: number | null
  readonly step: number | null
  readonly steps: number | null
  readonly losses: readonly LossPoint[]
  readonly warnings: readonly string[]
}

export type TrainingResult = {
  readonly losses: readonly LossPoint[]
  readonly warnings: readonly string[]
  readonly step: number | null
  readonly steps: number | null
  readonly problem: string | null
  readonly peakMemoryMb: number | null
  /** How often the hub began it again after it was interrupted. */
  readonly resumed: number
}

/** A training that is interrupted again and again is given up. */
const mostResumes = 5
const noResult: TrainingResult = {
  ...{ losses: [], warnings: [], step: null, steps: null },
  ...{ problem: null, peakMemoryMb: null, resumed: 0 },
}

/** The trainings of a hub: one at a time, each in a process of its own, taken up again when the hub was stopped. */
export function openTrainings(options: TrainingsOptions) {
  const { store, registry, limits, now, log } = options
  const start = options.start ?? startTraining
  let running:
    { readonly id: number; readonly process: ReturnType<typeof startTraining> } | undefined
  let live: LiveProgress | undefined
  let ending: Promise<void> = Promise.resolve()
  let isClosed = false
  const since = registry.decisions(500).at(-1)?.at ?? now()

  const open = (): TrainingRow | undefined =>
    store.all().find(({ state }) => state === 'running' || state === 'waiting')
  const resultOf = ({ result }: TrainingRow): TrainingResult => ({
    ...noResult,
    ...(result as Partial<TrainingResult> | null),
  })

  /** The job of a request, fixed when it begins, so that one that goes on later goes on with the same. */
  function toJob({ job: asked, id: number }: TrainingRow): TrainJob | { readonly refused: string } {
    const request = asked as TrainingRequest
    const at = now()
    const serving = registry.serving()
    const from = request.from ?? 'serving'
    let base: string | undefined
    if (from === 'serving') base = serving.folder
    else if (from !== 'fresh') {
      const found = registry.find(from)
      if ('refused' in found) return { refused: found.refused }
      base = found.folder
    }
    const seed = request.seed ?? 7
    const id = `${modelId(at, seed)}-${number}`
    registry.makeFolder()
    return {
      ...{ task: 'train', id, base, seed, champion: serving.folder },
      out: registry.folderOf(id),
      checkpoints: `${registry.folderOf(id)}.checkpoints`,
      history: {
        ...{ kind: 'own', folder: options.dataFolder, until: at, minuteDays: options.minuteDays },
        ...{ profileRules: options.profileRules, simulated: options.isDemo },
      },
      threads: Math.min(2, availableParallelism()),
      minutes: request.steps === undefined ? (request.minutes ?? limits.minutes) : undefined,
      ...{ steps: request.steps, judgedWindows: request.judgedWindows },
    }
  }

  function begin(row: TrainingRow): void {
    const isResumed = row.state === 'running'
    const job = isResumed ? (row.job as TrainJob) : toJob(row)
    if ('refused' in job) return fail(row.id, job.refused)
    const resumed = resultOf(row).resumed + Number(isResumed)
    if (resumed > mostResumes) {
      registry.cleanUp(job.id)
      return fail(row.id, `it was interrupted ${resumed} times and is given up`)
    }
    const began = store.update(row.id, {
      ...{ state: 'running', startedAt: row.startedAt ?? now(), job },
      result: { ...resultOf(row), resumed },
    })
    live = {
      stage: 'reading',
      share: 0,
      etaMs: null,
      step: null,
      steps: null,
      losses: [],
      warnings: [],
    }
    const process = start(job, { onProgress: note, onWarning: warn })
    running = { id: row.id, process }
    log.info({ training: row.id, reason: row.reason, detail: row.detail }, 'training began')
    ending = process.finished.then(
      (outcome) => succeed(began, outcome),
      (error: Error) => interrupted(row.id, job.id, error),
    )
  }

  function note(progress: TrainingProgress): void {
    if (!live) return
    const { stage } = progress
    const share = stage === 'training' ? progress.step / progress.steps : progress.share
    live = {
      ...live,
      ...{ stage, share, etaMs: 'etaMs' in progress ? progress.etaMs : null },
      ...(stage === 'training' && {
        ...{ step: progress.step, steps: progress.steps, losses: progress.losses },
      }),
    }
  }
  const warn = (sentence: string): void => {
    log.warn({}, sentence)
    if (live) live = { ...live, warnings: [...live.warnings, sentence].slice(-10) }
  }

  const soFar = (row: TrainingRow): TrainingResult => {
    const { losses = [], warnings = [], step = null, steps = null } = live ?? {}
    return { ...resultOf(row), ...{ losses, warnings, step, steps } }
  }

  function succeed(row: TrainingRow, { id, comparison, peakMemoryMb }: TrainingOutcome): void {
    const result = { ...soFar(row), peakMemoryMb }
    const by = row.reason
    registry.added(id, { kind: 'trained', by, reason: row.detail })
    if (comparison) registry.judged(id, comparison)
    store.update(row.id, { state: 'done', endedAt: now(), result })
    log.info({ training: row.id, model: id, peakMemoryMb }, 'training is done')
    running = live = undefined
  }

  function interrupted(id: number, model: string, error: Error): void {
    // A hub that closes leaves the training as it is: the next one goes on with it.
    if (!isClosed) {
      const row = store.find(id)!
      if (row.state === 'running') {
        fail(id, error.message)
        registry.cleanUp(model)
      }
    }
    running = live = undefined
  }

  function fail(id: number, problem: string): void {
    const row = store.find(id)!
    const result = { ...(running?.id === id ? soFar(row) : resultOf(row)), problem }
    store.update(id, { state: 'failed', endedAt: now(), result })
    log.warn({ training: id, problem }, 'training failed')
  }

  /** Begins what waits as soon as it may. */
  function look(at: number): void {
    if (isClosed || running) return
    const all = store.all()
    const left = all.find(({ state }) => state === 'running')
    if (left) return begin(left)
    const waiting = all.find(({ state }) => state === 'waiting')
    if (!waiting) return
    if (waiting.reason !== 'operator' && mustWait(limits, { now: at, past: all }) !== undefined)
      return
    begin(waiting)
  }

  function request(asked: TrainingRequest): TrainingRow | { readonly refused: string } {
    const other = open()
    if (other) {
      if (asked.reason === 'operator' && other.reason !== 'operator' && other.state === 'waiting') {
        cancel(other.id, 'an operator began one')
      } else {
        return { refused: `training ${other.id} is ${other.state} already; cancel it first` }
      }
    }
    const { reason, detail, ...job } = asked
    const row = store.add({ requestedAt: now(), reason, detail, job })
    look(now())
    return store.find(row.id)!
  }

  function cancel(id: number, why = 'cancelled by an operator'): TrainingRow | undefined {
    const row = store.find(id)
    if (!row) return undefined
    if (row.state !== 'running' && row.state !== 'waiting') return row
    const result = { ...(running?.id === id ? soFar(row) : resultOf(row)), problem: why }
    const ended = store.update(id, { state: 'cancelled', endedAt: now(), result })
    if (running?.id !== id) return ended
    running.process.stop()
    const { id: model } = row.job as TrainJob
    void ending.then(() => registry.cleanUp(model))
    return ended
  }

  return {
    /** Asks for a training. Refused while another one is open; one that the hub asks for itself may have to wait. */
    request,
    cancel,
    all: store.all,
    find: store.find,
    resultOf,
    /** Of the training that runs. */
    live: (id: number): LiveProgress | undefined => (running?.id === id ? live : undefined),
    pid: (): number | undefined => running?.process.pid,
    limits,
    /** Why a training that waits does; null when nothing holds it. */
    waitsFor(row: TrainingRow): string | null {
      if (row.state !== 'waiting') return null
      return mustWait(limits, { now: now(), past: store.all() }) ?? null
    },
    /** Once a minute: what waits, and what the schedule asks for. */
    tick(at: number): void {
      if (!open() && isScheduled(limits, { now: at, past: store.all(), since })) {
        const detail = `${limits.everyDays} days since the last one`
        request({ reason: 'schedule', detail })
      }
      look(at)
    },
    /** Settles when the training that runs, if any, is over and its outcome is kept. */
    idle: async (): Promise<void> => ending,
    /** Ends the process of a training that runs; the next hub of this data folder goes on with it. */
    async close(): Promise<void> {
      isClosed = true
      running?.process.stop()
      await ending
    },
  }
}
