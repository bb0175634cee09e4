import type { Drift, DriftState } from '@harbinger/shared/accuracy'
import type { MetricName } from '@harbinger/shared/metrics'
import type { Profile } from '@harbinger/shared/profiles'
import type { Series } from '@harbinger/shared/window/series'
import type { Instead } from '../forecast/forecast-rows.ts'
import type { DriftStore, Episode } from '../storage/drift-store.ts'
import { feedWatch } from './feed-watch.ts'
import { groupInputs, groupsOf } from './group-inputs.ts'
import { hourOf, type Ledger } from './ledger.ts'
import { retryMs, scoreDrifts } from './score-watch.ts'

type Watched = { readonly id: number; readonly profile: Profile }

export type DriftWatchOptions = {
  readonly store: DriftStore
  readonly now: number
  readonly servers: () => Iterable<Watched>
  readonly series: (serverId: number) => Series
  readonly ledger: Pick<Ledger, 'last'>
  /** Called once when a drift is found: the place to ask for a training. */
  readonly onDrift?: ((drift: Drift) => void) | undefined
}

export type DriftWatch = ReturnType<typeof driftWatch>

/** Watches whether what comes in, and what comes of the forecasts, is still what it was. */
export function driftWatch({ store, now, servers, series, ledger, onDrift }: DriftWatchOptions) {
  const feed = feedWatch(store, now)
  let episodes = store.episodes(now)
  let scores = { watched: 0, learning: 0 }
  let judgedHour = -1
  let groupOf: (profile: Profile) => string = groupsOf(servers())

  const open = (): Episode[] => episodes.filter(({ endedAt }) => endedAt === null)

  function begin(found: Omit<Episode, 'id' | 'endedAt'>): void {
    const begun = store.begin(found)
    episodes = [...episodes, begun]
    onDrift?.(toDrift(begun))
  }
  function end(episode: Episode, at: number): void {
    store.end(episode.id, at)
    episodes = episodes.map((one) => (one.id === episode.id ? { ...one, endedAt: at } : one))
  }

  return {
    /** Once a cycle: looks at the last half hour of every server. */
    async look(at: number): Promise<void> {
      const all = [...servers()]
      groupOf = groupsOf(all)
      const groups = await groupInputs(all, { series, at })
      const { began, over } = feed.look(groups, at, episodes)
      for (const episode of over) end(episode, at)
      for (const found of began) begin(found)
    },
    /** After a round of scoring: judges the model that serves, once an hour. */
    judge(at: number, model: string | null): void {
      if (hourOf(at) === judgedHour) return
      judgedHour = hourOf(at)
      for (const one of open()) {
        if ((one.signal === 'skill' || one.signal === 'coverage') && at - one.beganAt >= retryMs) {
          end(one, at)
        }
      }
      if (model === null) return
      const { found, ...readiness } = scoreDrifts(ledger, { model, at })
      scores = readiness
      for (const one of found) {
        const isOpen = open().some((o) => o.signal === one.signal && o.metric === one.metric)
        if (!isOpen) begin({ ...one, beganAt: at })
      }
    },
    /** The metrics of a server that the baseline serves meanwhile, with the reason; undefined when none. */
    insteadOf(profile: Profile): Instead | undefined {
      const instead: { [name in MetricName]?: string } = {}
      let any = false
      for (const { metric, group, detail, fallsBack } of open()) {
        if (!fallsBack || (group !== null && group !== groupOf(profile))) continue
        instead[metric] = `drift: ${detail}; the baseline serves until it is over`
        any = true
      }
      return any ? instead : undefined
    },
    state(at: number): DriftState {
      const { shift, missing } = feed.readiness()
      const recent = episodes.filter(
        ({ endedAt }) => endedAt !== null && at - endedAt < 7 * 86_400_000,
      )
      return {
        tests: [
          {
            signal: 'input shift',
            ...shift,
            reason: learning(shift, 'two weeks of readings from at least five servers'),
          },
          {
            signal: 'missing readings',
            ...missing,
            reason: learning(missing, 'a day of readings on top of yesterday'),
          },
          {
            signal: 'skill',
            ...scores,
            reason: learning(scores, 'a day of scored forecasts of the model that serves'),
          },
          {
            signal: 'coverage',
            ...scores,
            reason: learning(scores, 'three days of scored forecasts of the model that serves'),
          },
        ],
        falseAlarms,
        now: open().map(toDrift),
        recent: recent.map(toDrift),
      }
    },
    /** One sentence per drift that is on, for people who ask how the hub is. */
    problems: (): string[] =>
      open().map(
        ({ signal, detail, fallsBack }) =>
          `drift (${signal}): ${detail}${fallsBack ? '; the baseline serves meanwhile' : ''}`,
      ),
    forgetBefore: (at: number): void => store.forgetBefore(at),
  }
}

const falseAlarms =
  'Shifted and missing readings: about one false alarm a year in each of the two over all groups and metrics, if maxima ' +
  'have exponential tails and servers lose readings independently of one another. Skill and coverage: about one in a ' +
  'thousand per metric and judged day, from resampling the log in blocks of four hours.'

const learning = (
  { learning, watched }: { readonly learning: number; readonly watched: number },
  what: string,
): string | null => (learning > 0 || watched === 0 ? `needs ${what}` : null)

const toDrift = ({
  signal,
  metric,
  group,
  beganAt,
  endedAt,
  detail,
  fallsBack,
}: Episode): Drift => ({
  ...{ signal, metric, profile: group, detail, fallsBack },
  since: new Date(beganAt).toISOString(),
  until: endedAt === null ? null : new Date(endedAt).toISOString(),
})
