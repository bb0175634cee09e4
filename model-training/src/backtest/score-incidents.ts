import { minuteMs } from '@harbinger/shared/window/series'
import {
  averagePrecision,
  earliestMs,
  judgeTrack,
  latestMs,
  levelsOf,
  type Run,
  runAlerts,
  serverDays,
  type Traced,
  type Track,
} from './alert-runs.ts'
import { quantileOf } from './quantile-of.ts'

type Leads = {
  readonly p10: number | null
  readonly p50: number | null
  readonly p90: number | null
}

/** How one kind of incident fared at the first budget. */
export type Group = {
  readonly n: number
  readonly foreseen: number
  readonly recall: number | null
  readonly leadMinutes: Leads
}

/** How well one contender foresees incidents, at budgets of false alarms per server-day. */
export type ContenderIncidents = {
  readonly averagePrecision: number | null
  readonly recallAt: { readonly [budget: string]: number | null }
  /** These, the groups and the alerts are those at the first budget. */
  readonly precision: number | null
  readonly falseAlarmsPerServerDay: number | null
  readonly leadMinutes: Leads
  /** The score from which it alerts there; null when it cannot alert within the budget. */
  readonly raise: number | null
  readonly alerts: number
  readonly groups: { readonly [group: string]: Group }
}

export const budgets = [0.02, 0.05, 0.1] as const

/** Only incidents that some forecast had the chance to foresee. */
export function dueIncidents(tracks: readonly Track[]): readonly Traced[] {
  return tracks.flatMap(({ incidents, at }) => {
    if (at.length === 0) return []
    const from = at[0]! + earliestMs
    const to = at.at(-1)! + latestMs
    return incidents.filter(({ start }) => start >= from && start <= to)
  })
}

/** Scores what one contender said of some metrics of some servers; their false alarms share the budget. */
export function scoreIncidents(tracks: readonly Track[]): ContenderIncidents {
  const due = dueIncidents(tracks)
  const judged = tracks.map(judgeTrack)
  const days = serverDays(judged)
  const runs = levelsOf(judged).map((raise) => runAlerts(judged, raise))
  const best = (budget: number): Run | undefined =>
    runs
      .filter(({ false: wrong }) => wrong <= budget * days)
      .reduce<Run | undefined>(
        (best, run) => (best && best.foreseen.size >= run.foreseen.size ? best : run),
        undefined,
      )
  const chosen = best(budgets[0])
  return {
    averagePrecision: averagePrecision(judged),
    recallAt: Object.fromEntries(
      budgets.map((budget) => [budget, share(best(budget)?.foreseen.size ?? 0, due.length)]),
    ),
    precision: chosen ? share(chosen.alerts - chosen.false, chosen.alerts) : null,
    falseAlarmsPerServerDay: chosen && days > 0 ? round(chosen.false / days) : null,
    leadMinutes: leadsOf([...(chosen?.foreseen.values() ?? [])]),
    raise: chosen?.raise ?? null,
    alerts: chosen?.alerts ?? 0,
    groups: Object.fromEntries(
      [...groupsOf(due)].map(([name, incidents]) => [name, groupAt(chosen, incidents)]),
    ),
  }
}

/** Novel and recurrent; of simulated histories slow-building, sudden and by cause as well. */
function groupsOf(due: readonly Traced[]): ReadonlyMap<string, readonly Traced[]> {
  const groups = new Map<string, Traced[]>([
    ['novel', []],
    ['recurrent', []],
  ])
  const put = (name: string, incident: Traced): void => {
    const group = groups.get(name)
    if (group) group.push(incident)
    else groups.set(name, [incident])
  }
  for (const incident of due) {
    const age = incident.novel ? 'novel' : 'recurrent'
    put(age, incident)
    if (incident.cause === undefined) continue
    const pace = incident.slow ? 'slow' : 'sudden'
    put(pace, incident)
    put(`${pace} ${age}`, incident)
    put(`cause ${incident.cause}`, incident)
  }
  return new Map([...groups].sort(([a], [b]) => a.localeCompare(b)))
}

function groupAt(run: Run | undefined, incidents: readonly Traced[]): Group {
  const leads = incidents.flatMap((incident) => run?.foreseen.get(incident) ?? [])
  return {
    n: incidents.length,
    foreseen: leads.length,
    recall: share(leads.length, incidents.length),
    leadMinutes: leadsOf(leads),
  }
}

function leadsOf(leadsMs: readonly number[]): Leads {
  const minutes = leadsMs.map((ms) => ms / minuteMs).sort((a, b) => a - b)
  return {
    p10: quantileOf(minutes, 0.1),
    p50: quantileOf(minutes, 0.5),
    p90: quantileOf(minutes, 0.9),
  }
}

const share = (part: number, of: number): number | null => (of > 0 ? round(part / of) : null)
const round = (value: number): number => Number(value.toFixed(4))
