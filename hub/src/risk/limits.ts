import { type MetricName, type Readings } from '@harbinger/shared/metrics'
import type { Profile } from '@harbinger/shared/profiles'

/** Memory (%) at which a profile can no longer do its work. */
const memoryCritical: { readonly [profile in Profile]: number } = {
  web_api: 85,
  conductor_mgmt: 90,
  data_ingest: 90,
  generic: 95,
  risk_analytics: 95,
  ml_compute: 98,
  // The page cache of a database is not "used", but its own buffers are, and they are meant to fill memory.
  database: 99,
}

/** Sockets in CLOSE_WAIT a healthy server has: back, front. */
const closeWaitNormal: { readonly [profile in Profile]: readonly [number, number] } = {
  ml_compute: [2, 2],
  database: [8, 6],
  web_api: [15, 12],
  conductor_mgmt: [5, 4],
  data_ingest: [10, 8],
  risk_analytics: [3, 2],
  generic: [2, 2],
}

/** Load per core: tasks queue at 2; at 3 a task waits twice as long as it runs. */
const loadPerCore = { warning: 2, critical: 3 } as const

/** I/O wait (%) up to which a profile is doing its usual work. */
export const normalIowait = (profile: Profile): number =>
  profile === 'database' ? 20 : profile === 'data_ingest' ? 15 : 10

export type CloseWait = 'back_close_wait' | 'front_close_wait'

export const normalCloseWait = (profile: Profile, metric: CloseWait): number =>
  closeWaitNormal[profile][metric === 'back_close_wait' ? 0 : 1]

/** CPU used (%) is normal up to here: training keeps every core busy, and that is what it is for. */
export const criticalCpuUsed = (profile: Profile): number => (profile === 'ml_compute' ? 99.5 : 98)

/** A reading of idle is worse the lower it is, every other reading the higher. */
export const worsens = (metric: MetricName): 'up' | 'down' =>
  metric === 'cpu_idle_pct' ? 'down' : 'up'

/** Whether `value` is at or past `limit`, on the bad side. */
export const isPast = (metric: MetricName, value: number, limit: number): boolean =>
  worsens(metric) === 'down' ? value <= limit : value >= limit

type Where = { readonly cores?: number | undefined }

/**
 * The reading at which a server of this profile has an incident, in the metric's unit; undefined for metrics without
 * one, and for load while the number of cores is unknown. That of idle is a floor.
 */
export function criticalLimit(
  profile: Profile,
  metric: MetricName,
  { cores }: Where = {},
): number | undefined {
  switch (metric) {
    case 'cpu_idle_pct':
      return 100 - criticalCpuUsed(profile)
    case 'cpu_iowait_pct':
      return 3 * normalIowait(profile)
    case 'mem_used_pct':
      return memoryCritical[profile]
    case 'swap_used_pct':
      return 50
    case 'disk_usage_pct':
      return 95
    case 'back_close_wait':
    case 'front_close_wait':
      return Math.max(200, 50 * normalCloseWait(profile, metric))
    case 'load_average':
      return cores === undefined ? undefined : loadPerCore.critical * cores
    default:
      return undefined
  }
}

/** The reading from which a server of this profile deserves a look; drawn beside the critical limit. */
export function warningLimit(
  profile: Profile,
  metric: MetricName,
  { cores }: Where = {},
): number | undefined {
  switch (metric) {
    case 'cpu_idle_pct':
      return profile === 'ml_compute' ? undefined : 10
    case 'cpu_iowait_pct':
      return 2 * normalIowait(profile)
    case 'mem_used_pct':
      return profile === 'database' ? 98 : memoryCritical[profile] - 5
    case 'swap_used_pct':
      return 25
    case 'disk_usage_pct':
      return 90
    case 'back_close_wait':
    case 'front_close_wait':
      return Math.max(50, 5 * normalCloseWait(profile, metric))
    case 'load_average':
      return cores === undefined ? undefined : loadPerCore.warning * cores
    default:
      return undefined
  }
}

/** The metrics that have a critical limit, in the order people look at them. */
export const limitedMetrics = [
  'cpu_iowait_pct',
  'cpu_idle_pct',
  'mem_used_pct',
  'swap_used_pct',
  'load_average',
  'back_close_wait',
  'front_close_wait',
  'disk_usage_pct',
] as const satisfies readonly MetricName[]

/** The metrics that are past their critical limit now: each is an incident. */
export const breaches = (
  profile: Profile,
  now: Readings,
  { cores }: Where = {},
): readonly MetricName[] =>
  limitedMetrics.filter((metric) => {
    const value = now[metric]
    const limit = criticalLimit(profile, metric, { cores })
    return value !== undefined && limit !== undefined && isPast(metric, value, limit)
  })
