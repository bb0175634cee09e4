import { alertScore, way } from '@harbinger/shared/alerts/alert-score'
import { type Outlook, outlookOf } from '@harbinger/shared/alerts/outlook'
import { incidentFrequency } from '@harbinger/shared/forecast/incident-frequency'
import { peakMinutes, Q } from '@harbinger/shared/forecast/quantiles'
import { type PastErrors, pastErrors } from '@harbinger/shared/forecast/slow/past-errors'
import { diskForecast } from '@harbinger/shared/forecast/slow/slow-forecast'
import { slowTrack } from '@harbinger/shared/forecast/slow/slow-track'
import { isPast } from '@harbinger/shared/limits'
import { metricIndex, networkMetricNames } from '@harbinger/shared/metrics'
import type { Series } from '@harbinger/shared/window/series'
import { V } from '@harbinger/shared/window/window-batch'
import type { FleetHistory } from '../history/fleet-history.ts'
import type { Cause, Trouble } from '../simulator/cause.ts'
import { seriesAsOf } from '../windows/cut-window.ts'
import type { Track } from './alert-runs.ts'
import { incidentsOf } from './find-incidents.ts'
import type { Rule } from './incident-rules.ts'
import { type ContenderIncidents, dueIncidents, scoreIncidents } from './score-incidents.ts'

/** How well the incidents of one rule, or of all, were foreseen: by the served alerts, and by simpler ones. */
export type RuleScore = ContenderIncidents & {
  readonly n: number
  readonly novel: number
  readonly contenders: { readonly [name: string]: ContenderIncidents }
}
/** By rule, and `all` with one budget for all rules together. */
export type IncidentReport = { readonly [rule: string]: RuleScore }

export type Place = { readonly server: number; readonly now: number }
/** What the network said of a batch of windows, and which of them is meant. */
export type Said = { readonly peaks: Float32Array; readonly row: number }

const lastPeak = peakMinutes.length - 1
const horizonMinutes = peakMinutes[lastPeak]!
const relearnMs = 6 * 3_600_000

/** A line that reaches the limit in 4 h, as an alert of Prometheus asks, scores a half. */
const lineScore = (l: 0 | 1 | 2) => (outlook: Outlook) =>
  1 / (1 + Math.exp(-way(outlook.rises[l], outlook.room)))

type Input = { readonly outlook: Outlook; readonly lastWeek: number }
const simple: { readonly [name: string]: (input: Input) => number } = {
  'incident-frequency': ({ lastWeek }) => lastWeek,
  'linear-1h': ({ outlook }) => lineScore(0)(outlook),
  'linear-6h': ({ outlook }) => lineScore(1)(outlook),
  'linear-24h': ({ outlook }) => lineScore(2)(outlook),
}
const withNetwork: typeof simple = {
  ...simple,
  'forecast alone': ({ outlook }) => outlook.chances[2],
}
const served = 'alerts'

/** Everything known of one rule on one server at one instant; undefined where there is nothing to judge. */
export function openOutlooks(history: FleetHistory) {
  /** What a disk's forecast learns from its past takes 10 ms and changes slowly. */
  const learnt = new Map<number, { readonly at: number; readonly errors: PastErrors }>()

  function learntOf(server: number, series: Series, now: number): PastErrors {
    const before = learnt.get(server)
    if (before && now >= before.at && now - before.at < relearnMs) return before.errors
    const errors = pastErrors(slowTrack(series, 'disk_usage_pct', now))
    learnt.set(server, { at: now, errors })
    return errors
  }

  return (rule: Rule, { server, now }: Place, said?: Said): Outlook | undefined => {
    const of = history.servers[server]!
    const limit = rule.limitOf(of)
    if (limit === undefined) return undefined
    const { metric } = rule
    const { series } = of
    if (metric === 'disk_usage_pct') {
      const then = seriesAsOf(series, now)
      const disk = said && diskForecast(then, now, learntOf(server, then, now))
      return outlookOf({ series, now, metric, limit, peaks: disk?.peaks })
    }
    const v = (networkMetricNames as readonly string[]).indexOf(metric)
    if (v < 0 || !said) return outlookOf({ series, now, metric, limit })
    const own = new Float32Array(peakMinutes.length * Q)
    for (let p = 0; p <= lastPeak; p++) {
      const at = ((said.row * peakMinutes.length + p) * V + v) * Q
      own.set(said.peaks.subarray(at, at + Q), p * Q)
    }
    return outlookOf({ series, now, metric, limit, peaks: own })
  }
}

export type IncidentOptions = {
  /** Of a simulated history: what brought an incident about. */
  readonly causeOf?: ((trouble: Trouble) => Cause) | undefined
}

/** Collects what the contenders say of coming incidents, and compares it with what came. */
export function openIncidentScore(
  history: FleetHistory,
  rules: readonly Rule[],
  { causeOf }: IncidentOptions = {},
) {
  const outlook = openOutlooks(history)
  /** [rule][server], and per contender what it scored. */
  const found = rules.map((rule) => history.servers.map((_, server) => tracesOf(rule, server)))
  const at = rules.map(() => history.servers.map((): number[] => []))
  const scores = new Map<string, number[][][]>()
  let hasNetwork = false

  function tracesOf(rule: Rule, server: number): Track['incidents'] {
    const { series } = history.servers[server]!
    const limit = rule.limitOf(history.servers[server]!)
    if (limit === undefined) return []
    const { metric } = rule
    const { intervalMinutes } = history
    return incidentsOf(series, { metric, limit, intervalMinutes }).map((incident) => {
      if (!causeOf) return incident
      const past = (value: number): boolean => isPast(metric, value, limit)
      const { kind, slow } = causeOf({ index: server, at: incident.start, metric, isPast: past })
      return { ...incident, cause: kind, slow }
    })
  }

  function put(name: string, { r, server }: { r: number; server: number }, score: number): void {
    let of = scores.get(name)
    if (!of) scores.set(name, (of = rules.map(() => history.servers.map((): number[] => []))))
    of[r]![server]!.push(score)
  }

  /** Instants of a server come in order of time; without a network the trends and last week compete alone. */
  function add({ server, now }: Place, said?: Said): void {
    hasNetwork ||= said !== undefined
    rules.forEach((rule, r) => {
      const seen = outlook(rule, { server, now }, said)
      if (!seen) return
      const { series } = history.servers[server]!
      const { metric } = rule
      const limit = rule.limitOf(history.servers[server]!)!
      const window = { series, metric: metricIndex[metric], limit, now, horizonMinutes }
      // A server of which no day is known is warned of last, as one that had none.
      const input = { outlook: seen, lastWeek: incidentFrequency(window) ?? 0 }
      at[r]![server]!.push(now)
      const place = { r, server }
      for (const [name, score] of Object.entries(said ? withNetwork : simple)) {
        put(name, place, score(input))
      }
      if (said) put(served, place, alertScore(seen))
    })
  }

  const tracks = (name: string, only: readonly number[]): readonly Track[] =>
    only.flatMap((r) =>
      history.servers.map((_, server) => ({
        server,
        incidents: found[r]![server]!,
        at: at[r]![server]!,
        score: scores.get(name)?.[r]?.[server] ?? [],
      })),
    )

  function scoreRules(only: readonly number[]): RuleScore {
    // Without a model the first column is the baseline of incidents.
    const first = hasNetwork ? served : 'incident-frequency'
    const due = dueIncidents(tracks(first, only))
    const others = Object.keys(hasNetwork ? withNetwork : simple)
    return {
      n: due.length,
      novel: due.filter(({ novel }) => novel).length,
      ...scoreIncidents(tracks(first, only)),
      contenders: Object.fromEntries(
        others.map((name) => [name, scoreIncidents(tracks(name, only))]),
      ),
    }
  }

  /** Rules of which nothing was measured are left out; of none there is no `all`. */
  function report(): IncidentReport {
    const known = rules.flatMap((_, r) => (at[r]!.some((times) => times.length > 0) ? [r] : []))
    if (known.length === 0) return {}
    return Object.fromEntries([
      ['all', scoreRules(known)],
      ...known.map((r) => [rules[r]!.name, scoreRules([r])]),
    ])
  }

  return { add, report }
}
