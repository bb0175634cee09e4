import { networkMetricNames } from '@harbinger/shared/metrics'
import { horizonSteps, stepMinutes } from '@harbinger/shared/window/window-batch'
import type { FleetHistory } from '../history/fleet-history.ts'
import type { Contender } from './contender.ts'
import type { IncidentReport } from './incidents.ts'
import { coverage80, median, metricWql, type Score, wql } from './score.ts'
import { histories, horizons } from './slices.ts'

export type ContenderScores = {
  readonly wql: number | null
  readonly coverage80: number | null
  readonly medianMase: number | null
}

/** The model beside the best baseline, on one part of the scored points. */
export type Slice = {
  readonly model: number | null
  readonly baselines: { readonly [name: string]: number | null }
  readonly bestBaseline: string | null
  readonly ratio: number | null
  readonly coverage80: number | null
}

export type BacktestReport = {
  readonly history: string
  readonly from: string
  readonly to: string
  readonly origins: number
  readonly windows: number
  readonly stepMinutes: number
  readonly horizonSteps: number
  readonly model: ({ readonly id: string } & ContenderScores) | null
  readonly baselines: { readonly [name: string]: ContenderScores }
  readonly bestBaseline: string
  readonly wqlRatio: number | null
  readonly byMetric: { readonly [metric: string]: Slice }
  readonly byHorizon: { readonly [horizon: string]: Slice }
  readonly byHistory: { readonly [length: string]: Slice }
  readonly incidents: IncidentReport
}

type Judged = {
  readonly history: FleetHistory
  readonly from: number
  readonly to: number
  readonly origins: number
  readonly windows: number
  readonly model: { readonly id: string; readonly contender: Contender } | undefined
  readonly baselines: ReadonlyMap<string, Contender>
  readonly incidents: IncidentReport
}

/** What outsiders read of a backtest; figures have six digits, null stands for "nothing to score". */
export function toReport(judged: Judged): BacktestReport {
  const { history, model, baselines } = judged
  const scores = [...baselines].map(([name, { all }]) => [name, toScores(all)] as const)
  const best = bestOf(scores.map(([name, { wql }]) => [name, wql]))
  const ours = model ? toScores(model.contender.all) : null
  const slice = (part: (contender: Contender) => Score, figure: (score: Score) => number): Slice =>
    toSlice(
      model && part(model.contender),
      [...baselines].map(([name, contender]) => [name, part(contender)]),
      figure,
    )
  return {
    history: history.name,
    from: new Date(judged.from).toISOString(),
    to: new Date(judged.to).toISOString(),
    origins: judged.origins,
    windows: judged.windows,
    stepMinutes,
    horizonSteps,
    model: model && ours ? { id: model.id, ...ours } : null,
    baselines: Object.fromEntries(scores),
    bestBaseline: best?.name ?? '',
    wqlRatio: ratioOf(ours?.wql ?? null, best?.wql ?? null),
    byMetric: Object.fromEntries(
      networkMetricNames.flatMap((name, v) => {
        const only = (contender: Contender): Score => ({
          metrics: [contender.all.metrics[v]!],
          mase: [],
        })
        const found = slice(only, (score) => metricWql(score.metrics[0]!))
        return found.bestBaseline === null ? [] : [[name, found]]
      }),
    ),
    byHorizon: named(horizons, (i) => slice((contender) => contender.byHorizon[i]!, wql)),
    byHistory: named(histories, (i) => slice((contender) => contender.byHistory[i]!, wql)),
    incidents: judged.incidents,
  }
}

const named = (list: readonly { readonly name: string }[], slice: (i: number) => Slice) =>
  Object.fromEntries(list.map(({ name }, i) => [name, slice(i)]))

const toScores = (score: Score): ContenderScores => ({
  wql: figure(wql(score)),
  coverage80: figure(coverage80(score)),
  medianMase: figure(median(score.mase)),
})

function toSlice(
  model: Score | undefined,
  baselines: readonly (readonly [string, Score])[],
  figureOf: (score: Score) => number,
): Slice {
  const each = baselines.map(([name, score]) => [name, figure(figureOf(score))] as const)
  const best = bestOf(each)
  const ours = model ? figure(figureOf(model)) : null
  return {
    model: ours,
    baselines: Object.fromEntries(each),
    bestBaseline: best?.name ?? null,
    ratio: ratioOf(ours, best?.wql ?? null),
    coverage80: model ? figure(coverage80(model)) : null,
  }
}

function bestOf(
  scores: readonly (readonly [string, number | null])[],
): { readonly name: string; readonly wql: number } | undefined {
  let best: { name: string; wql: number } | undefined
  for (const [name, wql] of scores) {
    if (wql !== null && (best === undefined || wql < best.wql)) best = { name, wql }
  }
  return best
}

const ratioOf = (ours: number | null, theirs: number | null): number | null =>
  ours !== null && theirs !== null && theirs > 0 ? figure(ours / theirs) : null

const figure = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(6)) : null
