import type { MetricName, Readings } from './metrics.ts'
import type { Profile } from './profiles.ts'

type Pair = { readonly warning: number | undefined; readonly critical: number }
type Limits = Pair & {
  /** A server with twice the cores has twice the limit. */
  readonly perCore?: true
  /** A reading is worse the lower it is; all others the higher. */
  readonly worsens?: 'down'
  /** Profiles whose work is another. */
  readonly but?: { readonly [profile in Profile]?: Pair }
}

const at = (warning: number | undefined, critical: number): Pair => ({ warning, critical })

/**
 * From which reading on a server deserves a look, and from which it has an incident, in the metric's unit. The one
 * table: risk, alerts, charts and the backtest read it.
 */
const table = {
  // Twice and three times what a profile usually waits for its disks.
  cpu_iowait_pct: { ...at(20, 30), but: { database: at(40, 60), data_ingest: at(30, 45) } },
  // Training keeps every core busy, and that is what it is for.
  cpu_idle_pct: { ...at(10, 2), worsens: 'down', but: { ml_compute: at(undefined, 0.5) } },
  mem_used_pct: {
    ...at(90, 95),
    but: {
      web_api: at(80, 85),
      conductor_mgmt: at(85, 90),
      data_ingest: at(85, 90),
      ml_compute: at(93, 98),
      // The page cache of a database is not "used", but its own buffers are, and they are meant to fill memory.
      database: at(98, 99),
    },
  },
  swap_used_pct: at(25, 50),
  // Tasks queue at 2; at 3 a task waits twice as long as it runs.
  load_average: { ...at(2, 3), perCore: true },
  // 5 and 50 times what a healthy server has, and never less than 50 and 200.
  back_close_wait: {
    ...at(50, 200),
    but: {
      web_api: at(75, 750),
      data_ingest: at(50, 500),
      database: at(50, 400),
      conductor_mgmt: at(50, 250),
    },
  },
  front_close_wait: {
    ...at(50, 200),
    but: { web_api: at(60, 600), data_ingest: at(50, 400), database: at(50, 300) },
  },
  disk_usage_pct: at(90, 95),
} as const satisfies { readonly [metric in MetricName]?: Limits }

export type LimitedMetric = keyof typeof table

/** The metrics that have a critical limit, in the order people look at them. */
export const limitedMetrics = Object.keys(table) as readonly LimitedMetric[]

const limitsOf: { readonly [metric in MetricName]?: Limits } = table

export type CloseWait = 'back_close_wait' | 'front_close_wait'

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

export const normalCloseWait = (profile: Profile, metric: CloseWait): number =>
  closeWaitNormal[profile][metric === 'back_close_wait' ? 0 : 1]

/** I/O wait (%) up to which a profile is doing its usual work. */
export const normalIowait = (profile: Profile): number =>
  profile === 'database' ? 20 : profile === 'data_ingest' ? 15 : 10

export const worsens = (metric: MetricName): 'up' | 'down' => limitsOf[metric]?.worsens ?? 'up'

/** Whether `value` is at or past `limit`, on the bad side. */
export const isPast = (metric: MetricName, value: number, limit: number): boolean =>
  worsens(metric) === 'down' ? value <= limit : value >= limit

type Where = { readonly cores?: number | undefined }

/**
 * The reading at which a server of this profile has an incident, in the metric's unit; undefined for metrics without
 * one, and for load while the number of cores is unknown. That of idle is a floor.
 */
export const criticalLimit = (
  profile: Profile,
  metric: MetricName,
  where: Where = {},
): number | undefined => limitOf('critical', { profile, metric, ...where })

/** The reading from which a server of this profile deserves a look; drawn beside the critical limit. */
export const warningLimit = (
  profile: Profile,
  metric: MetricName,
  where: Where = {},
): number | undefined => limitOf('warning', { profile, metric, ...where })

function limitOf(
  which: 'warning' | 'critical',
  { profile, metric, cores }: Where & { readonly profile: Profile; readonly metric: MetricName },
): number | undefined {
  const limits = limitsOf[metric]
  if (!limits) return undefined
  const limit = (limits.but?.[profile] ?? limits)[which]
  if (!limits.perCore || limit === undefined) return limit
  return cores === undefined ? undefined : limit * cores
}

/** The metrics that are past their critical limit now: each is an incident. */
export const breaches = (
  profile: Profile,
  now: Readings,
  { cores }: Where = {},
): readonly LimitedMetric[] =>
  limitedMetrics.filter((metric) => {
    const value = now[metric]
    const limit = criticalLimit(profile, metric, { cores })
    return value !== undefined && limit !== undefined && isPast(metric, value, limit)
  })
