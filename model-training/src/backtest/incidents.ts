import { exceedance, peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import { type MetricName, metricIndex, networkMetricNames } from '@harbinger/shared/metrics'
import type { Profile } from '@harbinger/shared/profiles'
import { minuteCell, minuteMs, type Series } from '@harbinger/shared/window/series'
import { V } from '@harbinger/shared/window/window-batch'
import type { FleetHistory } from '../history/fleet-history.ts'
import { quantileOf } from './quantile-of.ts'

/** A metric is in an incident while it is above `limit`; for one profile, or for all servers. */
export type IncidentRule = {
  readonly metric: MetricName
  readonly limit: number
  readonly profile?: Profile | undefined
}

export type RuleScore = {
  readonly n: number
  readonly novel: number
  readonly averagePrecision: number | null
  /** By false alarms per server-day. */
  readonly recallAt: { readonly [budget: string]: number | null }
  /** Precision and lead at the first budget. */
  readonly precision: number | null
  readonly leadMinutes: {
    readonly p10: number | null
    readonly p50: number | null
    readonly p90: number | null
  }
}
export type IncidentReport = { readonly [rule: string]: RuleScore }

type Incident = { readonly start: number; readonly end: number; readonly novel: boolean }
/** One forecast of one server: the chance of a breach within 8 h. */
type Call = { readonly server: number; readonly at: number; readonly chance: number }

const budgets = [0.02, 0.05, 0.1] as const
/** An alert counts for an incident that starts 15 min to 8 h later. */
const earliestMs = 15 * minuteMs
const latestMs = 480 * minuteMs
const weekMs = 7 * 24 * 60 * minuteMs
const eightHours = peakMinutes.length - 1

/** Collects the model's chances of a breach and compares them with what happened. */
export function openIncidentScore(history: FleetHistory, rules: readonly IncidentRule[]) {
  const calls = rules.map((): Call[] => [])

  function add(
    { server, now }: { readonly server: number; readonly now: number },
    { peaks, row }: { readonly peaks: Float32Array; readonly row: number },
  ): void {
    rules.forEach(({ metric, limit, profile }, r) => {
      const v = (networkMetricNames as readonly string[]).indexOf(metric)
      if (v < 0 || (profile && history.servers[server]!.profile !== profile)) return
      const chance = exceedance(peaks, limit, ((row * peakMinutes.length + eightHours) * V + v) * Q)
      calls[r]!.push({ server, at: now, chance })
    })
  }

  const report = (): IncidentReport =>
    Object.fromEntries(
      rules.map((rule, r) => {
        const incidents = history.servers.map(({ series }) =>
          incidentsOf(series, { rule, intervalMinutes: history.intervalMinutes }),
        )
        const name = `${rule.metric} > ${rule.limit}${rule.profile ? ` (${rule.profile})` : ''}`
        return [name, scoreRule(calls[r]!, incidents)]
      }),
    )

  return { add, report }
}

/** Beyond the limit for at least 15 minutes; over after 60 minutes below. */
export function incidentsOf(
  series: Series,
  { rule, intervalMinutes }: { readonly rule: IncidentRule; readonly intervalMinutes: number },
): readonly Incident[] {
  const c = metricIndex[rule.metric]
  const found: Incident[] = []
  let start = -1
  let last = -1
  const close = (): void => {
    if (start >= 0 && last - start + intervalMinutes >= 15) {
      const at = start * minuteMs
      const before = found.at(-1)
      found.push({
        start: at,
        end: last * minuteMs,
        novel: before === undefined || at - before.start > weekMs,
      })
    }
    start = -1
  }
  for (let m = series.firstMinute; m <= series.lastMinute; m++) {
    const cell = minuteCell(series, m)
    if (cell < 0 || series.count[cell + c] === 0) continue
    if (series.mean[cell + c]! > rule.limit) {
      if (start < 0) start = m
      last = m
    } else if (start >= 0 && m - last >= 60) close()
  }
  close()
  return found
}

function scoreRule(calls: readonly Call[], incidents: readonly (readonly Incident[])[]): RuleScore {
  const first = Math.min(...calls.map(({ at }) => at), Infinity)
  const lastAt = Math.max(...calls.map(({ at }) => at), -Infinity)
  // Only incidents that some forecast had the chance to foresee.
  const due = incidents.map((list) =>
    list.filter(({ start }) => start >= first + earliestMs && start <= lastAt + latestMs),
  )
  const all = due.flat()
  // Nobody is warned of an incident that is there already.
  const open = calls.filter(({ server, at }) =>
    incidents[server]!.every(({ start, end }) => at < start || at > end),
  )
  const serverDays = open.length === 0 ? 0 : daysOf(open)
  const levels = [...new Set(open.map(({ chance }) => Math.round(chance * 200) / 200))].sort(
    (a, b) => b - a,
  )
  const runs = levels.map((level) => alertsAt(open, due, level))
  const within = (budget: number) =>
    runs.filter(({ false: wrong }) => wrong <= budget * serverDays).at(-1)
  const chosen = within(budgets[0])
  const leads = (chosen?.leads ?? []).map((ms) => ms / minuteMs).sort((a, b) => a - b)
  return {
    n: all.length,
    novel: all.filter(({ novel }) => novel).length,
    averagePrecision: averagePrecision(open, due),
    recallAt: Object.fromEntries(
      budgets.map((budget) => {
        const run = within(budget)
        return [budget, all.length === 0 ? null : (run?.leads.length ?? 0) / all.length]
      }),
    ),
    precision: chosen && chosen.alerts > 0 ? 1 - chosen.false / chosen.alerts : null,
    leadMinutes: {
      p10: quantileOf(leads, 0.1),
      p50: quantileOf(leads, 0.5),
      p90: quantileOf(leads, 0.9),
    },
  }
}

function daysOf(calls: readonly Call[]): number {
  const spans = new Map<number, [number, number]>()
  for (const { server, at } of calls) {
    const span = spans.get(server)
    if (span) span[1] = at
    else spans.set(server, [at, at])
  }
  const dayMs = 24 * 60 * minuteMs
  return [...spans.values()].reduce((sum, [from, to]) => sum + (to - from) / dayMs, 0)
}

/** What an alert at every rise of the chance to `level` would have brought: one alert per episode. */
function alertsAt(calls: readonly Call[], due: readonly (readonly Incident[])[], level: number) {
  const foreseen = new Map<Incident, number>()
  const alerting = new Set<number>()
  let alerts = 0
  let wrong = 0
  for (const { server, at, chance } of calls) {
    if (chance < level) {
      alerting.delete(server)
      continue
    }
    const coming = due[server]!.find((incident) => isComing(incident, at))
    if (!alerting.has(server)) {
      alerting.add(server)
      alerts++
      if (!coming) wrong++
    }
    if (coming && !foreseen.has(coming)) foreseen.set(coming, coming.start - at)
  }
  return { alerts, false: wrong, leads: [...foreseen.values()] }
}

const isComing = ({ start }: Incident, at: number): boolean =>
  start - at >= earliestMs && start - at <= latestMs

/** Average precision over single forecasts: how well the chances are ordered. */
function averagePrecision(
  calls: readonly Call[],
  due: readonly (readonly Incident[])[],
): number | null {
  const ordered = calls
    .map(({ server, at, chance }) => ({ chance, hit: due[server]!.some((i) => isComing(i, at)) }))
    .sort((a, b) => b.chance - a.chance)
  const hits = ordered.filter(({ hit }) => hit).length
  if (hits === 0) return null
  let seen = 0
  let sum = 0
  // Equal chances are one step: their order among themselves means nothing.
  for (let i = 0; i < ordered.length;) {
    let j = i
    let found = 0
    while (j < ordered.length && ordered[j]!.chance === ordered[i]!.chance) {
      if (ordered[j]!.hit) found++
      j++
    }
    seen += found
    sum += found * (seen / j)
    i = j
  }
  return Number((sum / hits).toFixed(4))
}
