import { isAlerting } from '@harbinger/shared/alerts/predicted-alert'
import { minuteMs } from '@harbinger/shared/window/series'
import { closeMinutes, type Incident } from './find-incidents.ts'

/** An incident and, where the history is simulated, what brought it about. */
export type Traced = Incident & { readonly cause?: string; readonly slow?: boolean }

/** Everything one contender said of one metric of one server, in order of time. */
export type Track = {
  readonly server: number
  readonly incidents: readonly Traced[]
  readonly at: number[]
  readonly score: number[]
}

/** A track with what an alert at each instant would be worth. */
export type JudgedTrack = {
  readonly server: number
  readonly at: readonly number[]
  readonly score: readonly number[]
  /** The incident that an alert at this instant counts for. */
  readonly coming: readonly (Traced | undefined)[]
  readonly inIncident: readonly boolean[]
}

/** An alert counts for an incident that starts 15 min to 8 h later. */
export const earliestMs = 15 * minuteMs
export const latestMs = 480 * minuteMs

export const judgeTrack = ({ server, incidents, at, score }: Track): JudgedTrack => ({
  ...{ server, at, score },
  coming: at.map((now) =>
    incidents.find(({ start }) => start - now >= earliestMs && start - now <= latestMs),
  ),
  inIncident: at.map((now) =>
    incidents.some(({ start, end }) => now >= start && now <= end + closeMinutes * minuteMs),
  ),
})

export type Run = {
  readonly raise: number
  readonly alerts: number
  readonly false: number
  /** Each incident that was foreseen, with the time from the first alert that counts for it to its start. */
  readonly foreseen: ReadonlyMap<Traced, number>
}

/** What alerting whenever the score reaches `raise` would have brought: one alert per episode. */
export function runAlerts(tracks: readonly JudgedTrack[], raise: number): Run {
  const foreseen = new Map<Traced, number>()
  let alerts = 0
  let wrong = 0
  for (const { at, score, coming, inIncident } of tracks) {
    let alerting = false
    for (let i = 0; i < at.length; i++) {
      const before = alerting
      alerting = isAlerting(before, { score: score[i]!, raise, inIncident: inIncident[i]! })
      if (!alerting) continue
      const next = coming[i]
      if (!before) {
        alerts++
        if (!next) wrong++
      }
      if (next && !foreseen.has(next)) foreseen.set(next, next.start - at[i]!)
    }
  }
  return { raise, alerts, false: wrong, foreseen }
}

/** Finer steps between scores tell no more than chance does. */
const levelsPerUnit = 100

/** The levels at which a sweep alerts, highest first. */
export function levelsOf(tracks: readonly JudgedTrack[]): readonly number[] {
  const levels = new Set<number>()
  for (const { score } of tracks) {
    for (const each of score) levels.add(Math.floor(each * levelsPerUnit) / levelsPerUnit)
  }
  levels.delete(0)
  return [...levels].sort((a, b) => b - a)
}

/** Days that servers were watched, each counted once however many metrics of it were. */
export function serverDays(tracks: readonly JudgedTrack[]): number {
  const spans = new Map<number, { from: number; to: number }>()
  for (const { server, at } of tracks) {
    if (at.length === 0) continue
    const span = spans.get(server) ?? { from: Infinity, to: -Infinity }
    span.from = Math.min(span.from, at[0]!)
    span.to = Math.max(span.to, at.at(-1)!)
    spans.set(server, span)
  }
  const dayMs = 24 * 60 * minuteMs
  return [...spans.values()].reduce((sum, { from, to }) => sum + (to - from) / dayMs, 0)
}

/** Average precision over single forecasts: how well the scores are ordered. Null where nothing was to foresee. */
export function averagePrecision(tracks: readonly JudgedTrack[]): number | null {
  const calls = tracks.flatMap(({ score, coming, inIncident }) =>
    score.flatMap((each, i) =>
      inIncident[i] ? [] : [{ score: each, hit: coming[i] !== undefined }],
    ),
  )
  calls.sort((a, b) => b.score - a.score)
  const hits = calls.filter(({ hit }) => hit).length
  if (hits === 0) return null
  let seen = 0
  let sum = 0
  // Equal scores are one step: their order among themselves means nothing.
  for (let i = 0; i < calls.length;) {
    let j = i
    let found = 0
    while (j < calls.length && calls[j]!.score === calls[i]!.score) {
      if (calls[j]!.hit) found++
      j++
    }
    seen += found
    sum += found * (seen / j)
    i = j
  }
  return Number((sum / hits).toFixed(4))
}
