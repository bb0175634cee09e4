import type {
  Fleet,
  Forecast,
  Samples,
  ServerDetail,
  ServerSummary,
  SeverityOrUnknown,
} from '@harbinger/shared/api'
import { type MetricName, metricNames } from '@harbinger/shared/metrics'
import { profiles } from '@harbinger/shared/profiles'
import { severityOf, severityScale } from '@harbinger/shared/severity'

/** A fleet made up for the tests of the pages: every severity and every state, the same every time. */

const minute = 60_000
const levels = [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98]
/** How many spreads each level lies from the median. */
const offsets = [-2.05, -1.28, -0.67, 0, 0.67, 1.28, 2.05]

const stems = ['ppml', 'ppdb', 'ppweb', 'ppcon', 'ppetl', 'pprisk', 'host'] as const

/** A number from 0 to 1 that belongs to its arguments. */
function noise(...seeds: number[]): number {
  let hash = 2_166_136_261
  for (const seed of seeds) hash = Math.imul(hash ^ Math.floor(seed), 16_777_619)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 2_246_822_519)
  hash ^= hash >>> 13
  return (hash >>> 0) / 2 ** 32
}

const base: Readonly<Record<MetricName, readonly [level: number, swing: number, jitter: number]>> =
  {
    cpu_user_pct: [22, 8, 4],
    cpu_sys_pct: [6, 2, 2],
    cpu_iowait_pct: [3, 2, 2],
    cpu_idle_pct: [0, 0, 0],
    java_cpu_pct: [14, 6, 3],
    mem_used_pct: [52, 6, 1],
    swap_used_pct: [1, 0, 0.2],
    disk_usage_pct: [61, 0, 0.1],
    net_in_mb_s: [18, 9, 5],
    net_out_mb_s: [11, 6, 3],
    back_close_wait: [6, 3, 3],
    front_close_wait: [4, 2, 2],
    load_average: [5, 2, 1],
    uptime_days: [41, 0, 0],
  }

type Made = {
  readonly index: number
  readonly name: string
  readonly trouble: number
  readonly kind: 'ill' | 'learning' | 'abstained' | 'offline' | 'silent' | 'blank'
}

/** How much worse a metric is on a server in trouble; it grows over the last six hours and goes on growing. */
const illness: { readonly [name in MetricName]?: number } = {
  cpu_user_pct: 38,
  cpu_sys_pct: 5,
  cpu_iowait_pct: 22,
  java_cpu_pct: 30,
  mem_used_pct: 40,
  swap_used_pct: 22,
  net_in_mb_s: 30,
  back_close_wait: 160,
  load_average: 30,
}

export function mockFleet(size: number, startAt: number) {
  let scenario = 'degrading'
  const made: Made[] = Array.from({ length: size }, (_, index) => {
    const stem = stems[index % stems.length]!
    const number = Math.floor(index / stems.length) + 1
    const draw = noise(index, 7)
    const special = {
      11: 'learning',
      17: 'abstained',
      23: 'offline',
      29: 'silent',
      31: 'blank',
    } as const
    return {
      index,
      name: `${stem}${String(number).padStart(3, '0')}`,
      // One of each severity first, then one server in nine is in some trouble.
      trouble:
        index < 7
          ? [0.95, 0.85, 0.75, 0.65, 0.55, 0.4, 0.1][index]!
          : draw > 0.89
            ? draw - 0.4
            : draw / 12,
      kind: special[(index % 97) as keyof typeof special] ?? 'ill',
    }
  })
  const byName = new Map(made.map((one) => [one.name.toLowerCase(), one]))
  const shift = () => ({ healthy: 0.05, degrading: 1, critical: 1.25, cascade: 1.2 })[scenario] ?? 1
  const troubleOf = (one: Made) => Math.min(0.99, one.trouble * shift())

  function value(one: Made, metric: MetricName, at: number): number {
    if (metric === 'cpu_idle_pct') {
      const busy = ['cpu_user_pct', 'cpu_sys_pct', 'cpu_iowait_pct'] as const
      return Math.max(0, 100 - busy.reduce((sum, part) => sum + value(one, part, at), 0))
    }
    const [level, swing, jitter] = base[metric]
    const spread = 0.7 + 0.6 * noise(one.index, metricNames.indexOf(metric))
    const day = Math.sin(((at / minute / 1440) % 1) * 2 * Math.PI)
    const growth = Math.max(0, 1 + (at - startAt) / (360 * minute))
    const ill = (illness[metric] ?? 0) * troubleOf(one) * growth
    const shake = jitter * (noise(one.index, at / (2 * minute), metricNames.indexOf(metric)) - 0.5)
    const days = metric === 'uptime_days' ? (at - startAt) / (1440 * minute) : 0
    const made = level * spread + swing * day + ill + shake + days
    return Math.max(0, metric.endsWith('_pct') ? Math.min(99.5, made) : made)
  }

  const thresholds: { readonly [name in MetricName]?: number } = {
    mem_used_pct: 95,
    cpu_idle_pct: 5,
    cpu_iowait_pct: 20,
    swap_used_pct: 25,
    disk_usage_pct: 90,
  }

  const reasonOf = (one: Made): string | null =>
    one.kind === 'learning'
      ? 'learning: 5 h of history, 24 h are needed'
      : one.kind === 'abstained'
        ? 'too many readings are missing (62 % of the last 24 h)'
        : one.kind === 'offline' || one.kind === 'blank'
          ? 'offline: nothing is forecast until it is heard again'
          : null

  const issued = new Map<string, Forecast>()

  function forecast(one: Made, now: number): Forecast {
    const windowEnd = Math.floor(now / (5 * minute)) * 5 * minute
    const key = `${one.name} ${windowEnd} ${scenario}`
    const known = issued.get(key) ?? newForecast(one, windowEnd)
    issued.set(key, known)
    return known
  }

  function newForecast(one: Made, windowEnd: number): Forecast {
    const abstained = reasonOf(one)
    const steps = 32
    const metrics: Forecast['metrics'] = {}
    const timeToThreshold: Forecast['timeToThreshold'] = {}
    if (abstained === null)
      for (const metric of metricNames) {
        if (metric === 'uptime_days') continue
        const idle = metric === 'cpu_idle_pct'
        const quantiles: Record<string, number[]> = {}
        levels.forEach((level, i) => {
          quantiles[String(level)] = Array.from({ length: steps }, (_, step) => {
            const at = windowEnd + (step + 0.5) * 15 * minute
            const spread = (base[metric][2] + (idle ? 5 : 1)) * (0.5 + 0.22 * Math.sqrt(step + 1))
            const quantile = value(one, metric, at) + offsets[i]! * spread
            return Math.max(0, metric.endsWith('_pct') ? Math.min(100, quantile) : quantile)
          })
        })
        metrics[metric] =
          metric === 'disk_usage_pct' || metric.endsWith('close_wait')
            ? {
                source: 'baseline:damped-trend',
                sourceReason: 'it was 12 % better than the model on the last 14 days',
                quantiles,
              }
            : { source: 'model:tft-2026-01', sourceReason: 'coverage 80.4 %', quantiles }
        const threshold = thresholds[metric]
        if (threshold === undefined) continue
        const over = (x: number) => (idle ? x <= threshold : x >= threshold)
        const minutesOf = (level: string) => {
          const step = quantiles[level]!.findIndex(over)
          return step < 0 ? null : step * 15
        }
        const earliestMinutes = minutesOf(idle ? '0.1' : '0.9')
        const medianMinutes = minutesOf('0.5')
        timeToThreshold[metric] = {
          threshold,
          probability: medianMinutes !== null ? 0.78 : earliestMinutes !== null ? 0.17 : 0.004,
          earliestMinutes,
          medianMinutes,
          // Disk is forecast days ahead; of one server it fills in six.
          ...(metric === 'disk_usage_pct' && { withinMinutes: 14 * 1440 }),
          ...(metric === 'disk_usage_pct' &&
            one.index === 6 && { probability: 0.7, earliestMinutes: 4500, medianMinutes: 9000 }),
        }
      }
    return {
      server: one.name,
      issuedAt: new Date(windowEnd + 8000).toISOString(),
      windowEnd: new Date(windowEnd).toISOString(),
      stepMinutes: 15,
      horizonMinutes: 480,
      abstained,
      metrics,
      peaks: {},
      timeToThreshold,
    }
  }

  function summary(one: Made, now: number): ServerSummary {
    const blank = one.kind === 'blank'
    const gone = one.kind === 'offline' || one.kind === 'silent'
    const lastSeen = blank ? null : gone ? now - 47 * minute : Math.floor(now / 10_000) * 10_000
    const ahead = forecast(one, now)
    const isOffline = one.kind === 'offline' || blank
    const risk = isOffline ? null : Math.round(troubleOf(one) * 100)
    const severity: SeverityOrUnknown = risk === null ? 'unknown' : severityOf(risk)
    const metrics: ServerSummary['metrics'] = {}
    if (!blank)
      for (const metric of metricNames) {
        const reading = value(one, metric, lastSeen!)
        metrics[metric] = {
          now: gone ? null : reading,
          ...(gone && { last: reading }),
          in30Minutes: ahead.metrics[metric]?.quantiles['0.5']?.[2] ?? null,
        }
      }
    const idle = metrics.cpu_idle_pct
    const next = Object.entries(ahead.timeToThreshold)
      .map(([metric, rest]) => ({ metric: metric as MetricName, ...rest! }))
      .sort(
        (a, b) =>
          (a.medianMinutes ?? a.earliestMinutes ?? 1e9) -
          (b.medianMinutes ?? b.earliestMinutes ?? 1e9),
      )
    return {
      name: one.name,
      profile: profiles[one.index % profiles.length]!,
      profileSource: one.index % profiles.length === 6 ? 'default' : 'rule',
      simulated: one.index !== 6,
      tags: [
        ['berlin', 'dublin', 'osaka'][one.index % 3]!,
        ...(one.index % 5 === 0 ? ['payments'] : []),
      ],
      state: isOffline ? 'offline' : risk !== null && risk >= 70 ? 'critical_issue' : 'healthy',
      presence: {
        state: isOffline ? 'offline' : one.kind === 'silent' ? 'late' : 'heard',
        why: blank ? 'never' : one.kind === 'offline' ? 'lost' : gone ? 'no_samples' : null,
        since: gone ? new Date(lastSeen!).toISOString() : null,
      },
      severity,
      risk,
      riskNow: risk,
      riskPredicted:
        risk === null || ahead.abstained ? null : Math.min(100, Math.round(risk * 1.1)),
      cpuUsed: idle?.now == null ? null : 100 - idle.now,
      cores: blank ? null : 16,
      metrics,
      cpuUsedIn30Minutes: idle?.in30Minutes == null ? null : 100 - idle.in30Minutes,
      timeToThreshold: next[0] ?? null,
      lastSeen: lastSeen === null ? null : new Date(lastSeen).toISOString(),
      source: ahead.abstained === null ? 'model:tft-2026-01' : null,
      abstained: ahead.abstained,
      conflict: one.index === 41,
    }
  }

  function fleet(now: number): Fleet {
    const rows = made.map((one) => summary(one, now))
    const tally = (of: (row: ServerSummary) => string) => {
      const counts: Record<string, number> = {}
      for (const row of rows) counts[of(row)] = (counts[of(row)] ?? 0) + 1
      return counts
    }
    const bySeverity = tally((row) => row.severity)
    const bad = severityScale
      .slice(0, 3)
      .reduce((sum, { severity }) => sum + (bySeverity[severity] ?? 0), 0)
    return {
      at: new Date(now).toISOString(),
      total: rows.length,
      simulated: rows.filter((row) => row.simulated).length,
      bySeverity,
      byState: tally((row) => row.state),
      byPresence: { heard: 0, late: 0, offline: 0, ...tally((row) => row.presence.state) },
      environment: {
        status: bad === 0 ? 'healthy' : 'danger',
        sentence:
          bad === 0
            ? `All is well: none of ${rows.length} servers is in danger.`
            : `${bad} of ${rows.length} servers are in danger; ${rows[0]!.name} is the first expected to reach a limit.`,
        incidentProbability30m: bad === 0 ? 0.006 : 0.34,
        incidentProbability8h: bad === 0 ? null : 0.81,
        how: 'One minus the product, over all servers, of the chance that no metric reaches its critical limit. Servers are taken as independent, so shared causes make it too high.',
      },
      topRisks: [...rows].sort((a, b) => (b.risk ?? -1) - (a.risk ?? -1)).slice(0, 10),
      demo: { scenario, scenarios: ['healthy', 'degrading', 'critical', 'cascade'] },
    }
  }

  function samples(one: Made, range: { from: number; to: number; stepSeconds: number }): Samples {
    const at: string[] = []
    const metrics: Samples['metrics'] = {}
    for (const metric of metricNames) metrics[metric] = { mean: [], max: [] }
    const stepMs = range.stepSeconds * 1000
    for (let time = Math.ceil(range.from / stepMs) * stepMs; time < range.to; time += stepMs) {
      const hoursAgo = (range.to - time) / (60 * minute)
      // Two and a half hours are missing, and one metric could not be read for a while.
      if (hoursAgo < 14 && hoursAgo > 11.5) continue
      if (one.kind === 'learning' && hoursAgo > 5) continue
      at.push(new Date(time).toISOString())
      for (const metric of metricNames) {
        const lost = metric === 'swap_used_pct' && hoursAgo > 18 && hoursAgo < 20
        const mean = lost ? null : value(one, metric, time)
        metrics[metric]!.mean.push(mean)
        metrics[metric]!.max.push(mean === null ? null : mean + base[metric][2])
      }
    }
    if (one.kind === 'blank') return { ...emptySamples(one, range), at: [], metrics: {} }
    return { ...emptySamples(one, range), at, metrics }
  }

  const emptySamples = (one: Made, range: { from: number; to: number; stepSeconds: number }) => ({
    server: one.name,
    from: new Date(range.from).toISOString(),
    to: new Date(range.to).toISOString(),
    stepSeconds: range.stepSeconds,
    tier: 'minute' as const,
    at: [] as string[],
    metrics: {},
  })

  function detail(one: Made, now: number): ServerDetail {
    const row = summary(one, now)
    const ill = (row.risk ?? 0) >= 50
    return {
      ...row,
      conflictOf: row.conflict
        ? {
            since: new Date(now - 8 * minute).toISOString(),
            kept: { address: '10.0.0.7', since: new Date(now - 90 * minute).toISOString() },
            others: [
              {
                address: '10.0.0.8',
                since: new Date(now - 8 * minute).toISOString(),
                lastAt: new Date(now - minute / 3).toISOString(),
                refused: 17,
              },
            ],
            advice: 'Give the other one a name of its own, or stop it.',
          }
        : null,
      retired: null,
      sentence: ill
        ? `${row.name} is running out of memory: 91 % now and growing 6 % an hour; 95 % is likely within two hours.`
        : row.risk === null
          ? `Nothing is known of how ${row.name} is now.`
          : `${row.name} is well, and nothing is forecast to change that within 8 h.`,
      reasons: ill
        ? [
            { component: 'mem_used_pct', kind: 'now', points: 50, text: 'memory at 91.4 %' },
            {
              component: 'cpu_iowait_pct',
              kind: 'now',
              points: 25,
              text: 'I/O wait 24.1 %, 2.4 times what is normal for its profile',
            },
            {
              component: 'mem_used_pct',
              kind: 'predicted',
              points: 30,
              text: 'memory may peak at 98.2 % within 30 min',
            },
          ]
        : [],
      unknown: row.abstained ? ['the next 30 minutes: there is no forecast'] : [],
      limits: {
        cpu_idle_pct: { warning: 10, critical: 5 },
        mem_used_pct: { warning: 90, critical: 95 },
        cpu_iowait_pct: { warning: 10, critical: 20 },
        swap_used_pct: { warning: 10, critical: 25 },
        disk_usage_pct: { warning: null, critical: 90 },
        load_average: { warning: 32, critical: 48 },
      },
      inventory: { os: 'Debian 12', kernel: '6.1.0', cpu: 'AMD EPYC 7443P', memoryGiB: 128 },
      agent: {
        status: one.kind === 'offline' ? 'offline' : one.kind === 'blank' ? 'unknown' : 'online',
        statusReason: one.kind === 'offline' ? 'connection lost' : null,
        clockSkewMs: one.kind === 'blank' ? null : 240,
        quarantined: one.index === 0 ? { 'out of range': 3 } : {},
        lastQuarantined:
          one.index === 0
            ? [
                {
                  at: new Date(now - 50 * minute).toISOString(),
                  reason: 'out of range',
                  detail: 'cpu_user_pct was 104.2',
                },
              ]
            : [],
        certificate: one.kind === 'offline' ? ('valid' as const) : ('none' as const),
        interval: {
          ...{ seconds: 30, from: 'hub', own: 10 },
          rule: { kind: 'tag', target: 'berlin', seconds: 30 },
        },
        unknownReadings: 12,
        own:
          one.kind === 'blank'
            ? null
            : {
                ...{ at: new Date(now - minute / 2).toISOString(), cpuPct: 0.07, rssMb: 53.2 },
                ...{ spoolSamples: 1, spoolMb: 0.26, dropped: 0, spoolFault: one.index === 0 },
              },
      },
    }
  }

  return {
    names: made.map(({ name }) => name),
    find: (name: string) => byName.get(name.toLowerCase()),
    rows: (now: number) => made.map((one) => summary(one, now)),
    summary,
    fleet,
    samples,
    forecast,
    detail,
    setScenario: (next: string) => void (scenario = next),
  }
}
