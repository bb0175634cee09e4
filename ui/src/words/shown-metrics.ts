import type { ServerSummary } from '@harbinger/shared/api'
import { type MetricName, metrics } from '@harbinger/shared/metrics'

/** A metric as a person sees it. Idle is never shown: the screen says "CPU used", which is 100 − idle. */
export type ShownMetric = {
  readonly key: string
  /** The metric of the contract that it is made of. */
  readonly metric: MetricName
  readonly label: string
  readonly unit: (typeof metrics)[MetricName]['unit']
  readonly max: 100 | undefined
  readonly inverted: boolean
  /** Shown at the end and small, because it moves in days. */
  readonly quiet: boolean
}

const as = (metric: MetricName, quiet = false): ShownMetric => ({
  key: metric,
  metric,
  label: metrics[metric].label,
  unit: metrics[metric].unit,
  max: metrics[metric].max,
  inverted: false,
  quiet,
})

/** In the order in which a sysadmin asks. */
export const shownMetrics: readonly ShownMetric[] = [
  { ...as('cpu_idle_pct'), key: 'cpu_used', label: 'CPU used', inverted: true },
  as('cpu_iowait_pct'),
  as('mem_used_pct'),
  as('swap_used_pct'),
  as('load_average'),
  as('java_cpu_pct'),
  as('net_in_mb_s'),
  as('net_out_mb_s'),
  as('back_close_wait'),
  as('front_close_wait'),
  as('disk_usage_pct', true),
  as('uptime_days', true),
]

export const shownAs = (metric: MetricName): ShownMetric =>
  shownMetrics.find((shown) => shown.metric === metric) ?? as(metric)

export const toShown = (shown: ShownMetric, value: number): number =>
  shown.inverted ? 100 - value : value

/** The latest reading of a row, as it is shown. */
export function nowOf(shown: ShownMetric, row: ServerSummary): number | null {
  if (shown.inverted) return row.cpuUsed
  return row.metrics[shown.metric]?.now ?? null
}

/** The newest reading of a row that is no longer of now, as it is shown; it is as old as `lastSeen`. */
export function lastOf(shown: ShownMetric, row: ServerSummary): number | null {
  const last = row.metrics[shown.metric]?.last
  return last === undefined ? null : toShown(shown, last)
}

/** What a row's reading is expected to be in half an hour, as it is shown. */
export function in30MinutesOf(shown: ShownMetric, row: ServerSummary): number | null {
  if (shown.inverted) return row.cpuUsedIn30Minutes
  return row.metrics[shown.metric]?.in30Minutes ?? null
}

/** A limit is said of what is shown: a floor of 5 % idle is CPU used at 95 %. */
export const limitOf = (shown: ShownMetric, limit: number): number => toShown(shown, limit)

const profileLabels: Readonly<Record<string, string>> = {
  ml_compute: 'ML compute',
  database: 'Database',
  web_api: 'Web and API',
  conductor_mgmt: 'Conductor',
  data_ingest: 'Data ingest',
  risk_analytics: 'Risk analytics',
  generic: 'Generic',
}

export const profileWord = (profile: string): string => profileLabels[profile] ?? profile

export const stateWord = (state: string): string => {
  const words = state.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** "model:r12" → "model r12", "baseline:seasonal" → "baseline seasonal": what made the numbers. */
export const sourceWord = (source: string): string => source.replace(':', ' ')
