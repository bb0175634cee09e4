import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelFolder } from '@harbinger/model-training/model/model-folder'
import type {
  ModelCard,
  ModelDecision,
  Models,
  ModelSummary,
  Training,
  Trainings as TrainingsAnswer,
} from '@harbinger/shared/models-api'
import type { Decision } from '../storage/model-store.ts'
import type { TrainingRow } from '../storage/training-store.ts'
import type { QuietHours } from '../training/limits.ts'
import type { TrainingRequest, Trainings } from '../training/trainings.ts'
import type { TrainJob } from '../training/training-messages.ts'
import { shadowVerdict } from './models-room.ts'
import type { Registry } from './registry.ts'
import type { ShadowFigures } from './shadow.ts'

const iso = (at: number): string => new Date(at).toISOString()
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at))

const toDecision = ({ at, model, kind, by, reason }: Decision): ModelDecision => ({
  ...{ at: iso(at), model, kind, by, reason },
})

type Found = ModelFolder | { readonly refused: string }

function toSummary(registry: Registry, found: Found): ModelSummary {
  if ('refused' in found) {
    return {
      ...{ id: null, state: 'refused', refused: found.refused, kind: null, trainedAt: null },
      ...{ parent: null, trainedOn: [], scores: {}, serves: { model: 0, baseline: 0 } },
      isBase: false,
    }
  }
  const { id, kind, trainedAt, training, trainedOn, scores, serves } = found.manifest
  const chosen = Object.values(serves)
  const byModel = chosen.filter(({ contender }) => contender === 'model').length
  const state =
    registry.serving().id === id
      ? 'serving'
      : registry.challenger()?.manifest.id === id
        ? 'challenger'
        : 'kept'
  return {
    ...{ id, state, refused: null, kind, trainedAt, parent: training.parent, scores },
    trainedOn: trainedOn.map(({ name, servers, from, to, simulated }) => ({
      ...{ name, servers, from, to, simulated },
    })),
    serves: { model: byModel, baseline: chosen.length - byModel },
    isBase: registry.baseId === id,
  }
}

/** What is known of all models, as GET /models answers. */
export function modelsAnswer(
  registry: Registry,
  {
    shadow,
    promotesItself,
    pinned,
    now,
  }: {
    readonly shadow?: ShadowFigures | undefined
    readonly promotesItself: boolean
    readonly pinned: boolean
    readonly now: number
  },
): Models {
  const { id, since, by, reason, problem } = registry.serving()
  const challenger = registry.challenger()?.manifest.id
  return {
    models: registry.list().map((found) => toSummary(registry, found)),
    serving: {
      ...{ id, since: isoOrNull(since), by, reason, problem, pinned },
      previous: registry.previous()?.manifest.id ?? null,
    },
    challenger:
      challenger === undefined
        ? null
        : {
            id: challenger,
            conditions: [...registry.conditions(challenger)],
            shadow: shadowVerdict(shadow?.model === challenger ? shadow : undefined, now),
            promotesItself,
          },
    decisions: registry.decisions(100).map(toDecision),
    nextCursor: null,
  }
}

/** The report card of one model; undefined when there is none of this id. */
export function modelCard(registry: Registry, id: string): ModelCard | undefined {
  const found = registry.find(id)
  const decisions = registry.decisionsOn(id)
  if ('refused' in found) {
    if (decisions.length === 0 && found.refused.startsWith('there is no model')) return undefined
    const summary = toSummary(registry, found)
    return {
      ...{ ...summary, id, manifest: null, report: null, conditions: [] },
      decisions: decisions.map(toDecision),
    }
  }
  return {
    ...toSummary(registry, found),
    manifest: found.manifest,
    report: JSON.parse(readFileSync(join(found.folder, 'report.json'), 'utf8')) as unknown,
    conditions: [...registry.conditions(id)],
    decisions: decisions.map(toDecision),
  }
}

export function trainingAnswer(trainings: Trainings, row: TrainingRow): Training {
  const live = trainings.live(row.id)
  const result = trainings.resultOf(row)
  const job = row.job as Partial<TrainJob> & TrainingRequest
  const { losses } = live ?? result
  return {
    ...{ id: row.id, state: row.state, reason: row.reason, detail: row.detail },
    requestedAt: iso(row.requestedAt),
    startedAt: isoOrNull(row.startedAt),
    endedAt: isoOrNull(row.endedAt),
    waitsFor: trainings.waitsFor(row),
    model: job.id ?? null,
    from: job.task === 'train' ? nameOf(job.base) : (job.from ?? 'serving'),
    stage: live?.stage ?? null,
    share: live ? Math.min(1, live.share) : null,
    etaSeconds: live?.etaMs == null ? null : Math.round(live.etaMs / 1000),
    step: live?.step ?? result.step,
    steps: live?.steps ?? result.steps,
    losses: losses.map(([step, loss, wql]) => ({ step, loss, wql })),
    warnings: [...(live ?? result).warnings],
    ...{ problem: result.problem, peakMemoryMb: result.peakMemoryMb, resumed: result.resumed },
  }
}

const nameOf = (folder: string | undefined): string => folder?.split('/').at(-1) ?? 'fresh'

export function trainingsAnswer(trainings: Trainings): TrainingsAnswer {
  const { everyDays, hoursBetween, perWeek, quietHours, minutes } = trainings.limits
  return {
    trainings: trainings.all().map((row) => trainingAnswer(trainings, row)),
    limits: { everyDays, hoursBetween, perWeek, minutes, quietHours: quietText(quietHours) },
    nextCursor: null,
  }
}

function quietText(hours: QuietHours | undefined): string | null {
  if (!hours) return null
  const clock = (minutes: number): string =>
    `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
  return `${clock(hours.from)}-${clock(hours.to)}`
}
