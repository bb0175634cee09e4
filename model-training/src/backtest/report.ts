import { networkMetricNames } from '@harbinger/shared/metrics'
import { type Profile, profiles } from '@harbinger/shared/profiles'
import { minuteMs } from '@harbinger/shared/window/series'
import { horizonSteps, stepMinutes } from '@harbinger/shared/window/window-batch'
import type { FleetHistory } from '../history/fleet-history.ts'
import { type Interval, ratioInterval, toSkill } from './bootstrap.ts'
import type { Collected } from './collect.ts'
import type { Contender } from './contender.ts'
import type { IncidentReport } from './incidents.ts'
import type { SlowMetricsReport } from './slow-metrics.ts'
import { coverage80, median, wql } from './score.ts'
import { bestOf, figure, ratioOf, type Slice, sliceOf, type SlicePart } from './slice.ts'
import { histories, horizons } from './slices.ts'
import { scoreOf } from './tally.ts'

export type { Slice } from './slice.ts'

export type ContenderScores = {
  readonly wql: number | null
  readonly coverage80: number | null
  readonly medianMase: number | null
}

/** One profile, metric and part of the horizon. */
export type Bucket = Omit<Slice, 'baselines'> & {
  readonly profile: Profile | 'unknown'
  readonly metric: string
  readonly horizon: string
}

export type SeedScores = { readonly id: string; readonly wqlRatio: number | null } & ContenderScores

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
  /** 1 − wqlRatio with its 95 % interval, servers resampled; above 0 is better than the best baseline. */
  readonly skill: Interval | null
  /** Several seeds of one training: each, and the mean of their ratios with the interval of that mean. */
  readonly seeds: {
    readonly models: readonly SeedScores[]
    readonly wqlRatio: Interval | null
    readonly skill: Interval | null
  } | null
  readonly byMetric: { readonly [metric: string]: Slice }
  readonly byHorizon: { readonly [horizon: string]: Slice }
  readonly byHistory: { readonly [length: string]: Slice }
  readonly byProfile: { readonly [profile: string]: Slice }
  readonly byProfileAndMetric: { readonly [profile: string]: { readonly [metric: string]: Slice } }
  /** "seen" had readings in the time the model learnt from, "new" had not. */
  readonly byServer: { readonly [kind in 'seen' | 'new']?: Slice }
  readonly buckets: readonly Bucket[]
  readonly incidents: IncidentReport
  /** Disk and uptime, which have methods of their own; absent where the history has neither. */
  readonly slowMetrics: SlowMetricsReport
}

type Judged = {
  readonly history: FleetHistory
  readonly from: number
  readonly to: number
  readonly origins: number
  readonly collected: Collected
  readonly learntUntil: number | undefined
  readonly incidents: IncidentReport
  readonly slowMetrics: SlowMetricsReport
}

/** What outsiders read of a backtest; figures have six digits, null stands for "nothing to score". */
export function toReport(judged: Judged): BacktestReport {
  const { history, collected } = judged
  const { models } = collected
  const slice = (part?: SlicePart): Slice => sliceOf(collected, part)
  const scores = [...collected.baselines].map(
    ([name, contender]) => [name, toScores(contender)] as const,
  )
  const best = bestOf(scores.map(([name, { wql }]) => [name, wql]))
  const first = models[0]
  const ours = first && toScores(first.contender)
  const groups = profileGroups(history)
  const baseline = best && collected.baselines.get(best.name)!.all
  const intervalOf = (of: typeof models): Interval | null =>
    (baseline && of.length > 0
      ? ratioInterval(
          of.map(({ contender }) => contender.all),
          [baseline],
        )
      : undefined) ?? null
  const ratio = first ? intervalOf([first]) : null
  return {
    history: history.name,
    from: new Date(judged.from).toISOString(),
    to: new Date(judged.to).toISOString(),
    origins: judged.origins,
    windows: collected.windows,
    stepMinutes,
    horizonSteps,
    model: first && ours ? { id: first.id, ...ours } : null,
    baselines: Object.fromEntries(scores),
    bestBaseline: best?.name ?? '',
    wqlRatio: ratioOf(ours?.wql ?? null, best?.wql ?? null),
    skill: ratio && rounded(toSkill(ratio)),
    seeds: models.length < 2 ? null : toSeeds(collected, best?.wql ?? null, intervalOf(models)),
    byMetric: byMetric(slice),
    byHorizon: named(horizons, (horizon) => slice({ horizon })),
    byHistory: named(histories, (i) => slice({ tally: ({ byHistory }) => byHistory[i]! })),
    byProfile: mapped(groups, (servers) => slice({ servers })),
    byProfileAndMetric: mapped(groups, (servers) => byMetric(slice, servers)),
    byServer: first
      ? mapped(bySeen(history, judged.learntUntil), (servers) => slice({ servers }))
      : {},
    buckets: first ? bucketsOf(groups, slice) : [],
    incidents: judged.incidents,
    slowMetrics: judged.slowMetrics,
  }
}

function toSeeds(
  { models }: Collected,
  best: number | null,
  ratio: Interval | null,
): BacktestReport['seeds'] {
  const each = models.map(({ id, contender }) => {
    const scores = toScores(contender)
    return { id, wqlRatio: ratioOf(scores.wql, best), ...scores }
  })
  return {
    models: each,
    wqlRatio: ratio && rounded(ratio),
    skill: ratio && rounded(toSkill(ratio)),
  }
}

type Sliced = (part?: SlicePart) => Slice
type Groups = { readonly [name: string]: readonly number[] }

function byMetric(slice: Sliced, servers?: readonly number[]): { readonly [name: string]: Slice } {
  return Object.fromEntries(
    networkMetricNames.flatMap((name, metric) => {
      const found = slice({ servers, metric })
      return found.n === 0 || found.bestBaseline === null ? [] : [[name, found]]
    }),
  )
}

function bucketsOf(groups: Groups, slice: Sliced): readonly Bucket[] {
  return Object.entries(groups).flatMap(([profile, servers]) =>
    networkMetricNames.flatMap((metric, v) =>
      horizons.flatMap(({ name }, horizon) => {
        const { baselines: _, ...found } = slice({ servers, metric: v, horizon })
        const place = { profile: profile as Profile, metric, horizon: name }
        return found.n === 0 ? [] : [{ ...place, ...found }]
      }),
    ),
  )
}

/** Places of the servers of each profile that the history has. */
export function profileGroups(history: FleetHistory): Groups {
  const kinds = [...profiles, undefined]
  return Object.fromEntries(
    kinds.flatMap((kind) => {
      const servers = history.servers.flatMap(({ profile }, i) => (profile === kind ? [i] : []))
      return servers.length > 0 ? [[kind ?? 'unknown', servers]] : []
    }),
  )
}

function bySeen(history: FleetHistory, learntUntil = -Infinity): Groups {
  const kinds = { seen: [] as number[], new: [] as number[] }
  history.servers.forEach(({ series }, i) => {
    const isSeen = series.firstMinute >= 0 && series.firstMinute * minuteMs < learntUntil
    kinds[isSeen ? 'seen' : 'new'].push(i)
  })
  return Object.fromEntries(Object.entries(kinds).filter(([, servers]) => servers.length > 0))
}

const mapped = <T>(groups: Groups, make: (servers: readonly number[]) => T) =>
  Object.fromEntries(Object.entries(groups).map(([name, servers]) => [name, make(servers)]))

const named = (list: readonly { readonly name: string }[], slice: (i: number) => Slice) =>
  Object.fromEntries(list.map(({ name }, i) => [name, slice(i)]))

function toScores({ all, mase }: Contender): ContenderScores {
  const score = scoreOf(all)
  return {
    wql: figure(wql(score)),
    coverage80: figure(coverage80(score)),
    medianMase: figure(median(mase)),
  }
}

const rounded = ({ figure: at, low, high }: Interval): Interval => ({
  figure: figure(at)!,
  low: figure(low)!,
  high: figure(high)!,
})
