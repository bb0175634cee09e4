/** The 14 LINBORG metrics, in the order of the contract; everything that has one cell per metric uses this order. */
export const metricNames = [
  'cpu_user_pct',
  'cpu_sys_pct',
  'cpu_iowait_pct',
  'cpu_idle_pct',
  'java_cpu_pct',
  'mem_used_pct',
  'swap_used_pct',
  'disk_usage_pct',
  'net_in_mb_s',
  'net_out_mb_s',
  'back_close_wait',
  'front_close_wait',
  'load_average',
  'uptime_days',
] as const

export type MetricName = (typeof metricNames)[number]

/** What one sample says: a reading that could not be taken is absent, never 0. */
export type Readings = { readonly [name in MetricName]?: number }

export type Metric = {
  readonly name: MetricName
  /** What a person reads on the screen. */
  readonly label: string
  readonly unit: '%' | 'MB/s' | 'sockets' | 'load' | 'days'
  readonly min: 0
  /** The largest value a reading can truly have; undefined where the unit sets no bound. */
  readonly max: 100 | undefined
}

const metric = (
  name: MetricName,
  label: string,
  unit: Metric['unit'],
  max?: 100,
): readonly [MetricName, Metric] => [name, { name, label, unit, min: 0, max }]

export const metrics = Object.fromEntries([
  metric('cpu_user_pct', 'CPU user', '%', 100),
  metric('cpu_sys_pct', 'CPU system', '%', 100),
  metric('cpu_iowait_pct', 'I/O wait', '%', 100),
  metric('cpu_idle_pct', 'CPU idle', '%', 100),
  metric('java_cpu_pct', 'Java CPU', '%', 100),
  metric('mem_used_pct', 'Memory', '%', 100),
  metric('swap_used_pct', 'Swap', '%', 100),
  metric('disk_usage_pct', 'Disk', '%', 100),
  metric('net_in_mb_s', 'Network in', 'MB/s'),
  metric('net_out_mb_s', 'Network out', 'MB/s'),
  metric('back_close_wait', 'Close-wait, back', 'sockets'),
  metric('front_close_wait', 'Close-wait, front', 'sockets'),
  metric('load_average', 'Load', 'load'),
  metric('uptime_days', 'Uptime', 'days'),
]) as { readonly [name in MetricName]: Metric }

export const metricIndex = Object.fromEntries(metricNames.map((name, i) => [name, i])) as {
  readonly [name in MetricName]: number
}

/**
 * The metrics the network forecasts, in the order of its tensors. Disk and uptime have methods of their own;
 * idle is forecast directly because the quantiles of a sum are not the sum of quantiles (ADR 8).
 */
export const networkMetricNames = metricNames.filter(
  (name) => name !== 'disk_usage_pct' && name !== 'uptime_days',
) as readonly Exclude<MetricName, 'disk_usage_pct' | 'uptime_days'>[]

/** The four parts of CPU time: their sum is 100 in every sample. */
export const cpuParts = [
  'cpu_user_pct',
  'cpu_sys_pct',
  'cpu_iowait_pct',
  'cpu_idle_pct',
] as const satisfies readonly MetricName[]

/** How far the four CPU parts may be from 100 together. */
export const cpuSumTolerance = 0.5

/** Names of the predecessor. They meant something else, so they are refused by name instead of being ignored. */
export const deprecatedMetricNames = ['cpu_pct', 'mem_pct', 'disk_io_mb_s', 'latency_ms'] as const

export const isMetricName = (name: string): name is MetricName => Object.hasOwn(metricIndex, name)

/** What the screen shows in place of idle; quantile q of used is 100 − quantile 1−q of idle. */
export const cpuUsed = (readings: Readings): number | undefined =>
  readings.cpu_idle_pct === undefined ? undefined : 100 - readings.cpu_idle_pct
