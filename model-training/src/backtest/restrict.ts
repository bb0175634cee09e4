import { type MetricName, metricIndex, metricNames } from '@harbinger/shared/metrics'
import { type Profile, profiles } from '@harbinger/shared/profiles'
import type { FleetHistory, ServerHistory } from '../history/fleet-history.ts'
import { randomStream } from '../train/random.ts'

/** What a model is told of the profiles of a fleet. */
export const tellings = ['true', 'shuffled', 'unknown', 'wrong20'] as const
export type Telling = (typeof tellings)[number]

/** The share of servers that get a wrong profile in `wrong20`. */
const wrongShare = 0.2

/**
 * The same fleet with other profiles: as they are, exchanged among the servers, hidden, or wrong for a fifth of the
 * servers. Readings are the same; `seed` decides which servers.
 */
export function tell(history: FleetHistory, telling: Telling, seed: number): FleetHistory {
  const random = randomStream(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(list.length * random())]!
  const known = history.servers.map(({ profile }) => profile)
  const told: { readonly [name in Telling]: () => (Profile | undefined)[] } = {
    true: () => known,
    shuffled: () => shuffled(known, random),
    unknown: () => known.map(() => undefined),
    wrong20: () => {
      const wrong = new Set(
        shuffled([...known.keys()], random).slice(0, Math.round(wrongShare * known.length)),
      )
      return known.map((profile, i) =>
        wrong.has(i) ? pick(profiles.filter((other) => other !== profile)) : profile,
      )
    },
  }
  const profileOf = told[telling]()
  const servers = history.servers.map((server, i) => ({ ...server, profile: profileOf[i] }))
  return { ...history, servers }
}

/** Each server shows `count` of the metrics of its history, drawn by `seed`, and the others were never measured. */
export function keepMetrics(history: FleetHistory, count: number, seed: number): FleetHistory {
  const servers = history.servers.map((server, place) => {
    const kept = shuffled(history.metrics, randomStream(seed, place)).slice(0, count)
    return showOnly(server, kept)
  })
  return { ...history, servers }
}

/** Cells are copied only where they say what is known; values are shared. */
function showOnly(server: ServerHistory, kept: readonly MetricName[]): ServerHistory {
  const { series } = server
  const count = series.count.slice()
  const quarterKnown = series.quarterKnown.slice()
  const width = metricNames.length
  for (const metric of metricNames) {
    if (kept.includes(metric)) continue
    for (let k = metricIndex[metric]; k < count.length; k += width) count[k] = 0
    for (let k = metricIndex[metric]; k < quarterKnown.length; k += width) quarterKnown[k] = 0
  }
  return { ...server, series: { ...series, count, quarterKnown } }
}

/** Fisher and Yates. */
function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const out = [...list]
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor((i + 1) * random())
    const kept = out[i]!
    out[i] = out[j]!
    out[j] = kept
  }
  return out
}
