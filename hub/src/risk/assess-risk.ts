import { cpuUsed, type Readings } from '@harbinger/shared/metrics'
import type { Profile } from '@harbinger/shared/profiles'
import { type Severity, severityOf } from '@harbinger/shared/severity'
import {
  type CloseWait,
  criticalLimit,
  normalCloseWait,
  normalIowait,
  warningLimit,
} from '@harbinger/shared/limits'
import { closeWaitRise, pointsOf, quietSwap, riskTable, type Rows } from './risk-table.ts'

/** The worst a pessimist expects within 30 minutes: the 90 % quantile of each peak (of CPU used: 10 % of idle). */
export type PredictedPeaks = {
  readonly cpuUsed?: number
  readonly mem_used_pct?: number
  readonly cpu_iowait_pct?: number
  readonly load_average?: number
  readonly back_close_wait?: number
  readonly front_close_wait?: number
  readonly disk_usage_pct?: number
}

/** How fast sockets in CLOSE_WAIT have been gathering over the last hour, in sockets per hour. */
export type CloseWaitTrend = { readonly [metric in CloseWait]?: number }

export type RiskInput = {
  readonly profile: Profile
  readonly now: Readings
  readonly cores?: number | undefined
  /** Undefined while there is no forecast. */
  readonly predicted?: PredictedPeaks | undefined
  readonly closeWaitTrend?: CloseWaitTrend | undefined
}

export type RiskComponent =
  'cpu_used' | 'memory' | 'io_wait' | 'swap' | 'load' | 'close_wait' | 'disk'

export type RiskReason = {
  readonly text: string
  readonly points: number
  readonly component: RiskComponent
  readonly kind: 'now' | 'predicted'
}

export type Risk = {
  /** 0 … 100; null when nothing is known. */
  readonly score: number | null
  readonly severity: Severity | 'unknown'
  /** Points for what is, 0 … 100; null when no reading is known. */
  readonly now: number | null
  /** Points for what is predicted to get worse; null when nothing is predicted. */
  readonly predicted: number | null
  /** Heaviest first. */
  readonly reasons: readonly RiskReason[]
  /** What the score could not take into account: a component, or `forecast`. Unknown is not "no risk". */
  readonly unknown: readonly (RiskComponent | 'forecast')[]
}

/** One component before it is added: undefined is unknown. */
type Part = {
  readonly component: RiskComponent
  readonly now: number | undefined
  readonly nowText: string
  readonly predicted: number | undefined
  readonly predictedText: string
}

/** How worrying a server is, now and within 30 minutes, and why. */
export function assessRisk(input: RiskInput): Risk {
  const parts = [
    cpuPart(input),
    memoryPart(input),
    ioWaitPart(input),
    swapPart(input),
    loadPart(input),
    closeWaitPart(input),
    diskPart(input),
  ]
  const reasons: RiskReason[] = []
  let now = 0
  let predicted = 0
  for (const part of parts) {
    const { component } = part
    const nowPoints = part.now ?? 0
    const more = Math.max(0, (part.predicted ?? 0) - nowPoints)
    now += nowPoints
    predicted += more
    if (nowPoints > 0) {
      reasons.push({ text: part.nowText, points: nowPoints, component, kind: 'now' })
    }
    if (more > 0) {
      reasons.push({ text: part.predictedText, points: more, component, kind: 'predicted' })
    }
  }
  reasons.sort((a, b) => b.points - a.points)
  const knowsNow = parts.some((part) => part.now !== undefined)
  const foresees = parts.some((part) => part.predicted !== undefined)
  const score = knowsNow || foresees ? Math.min(100, now + predicted) : null
  return {
    score,
    severity: score === null ? 'unknown' : severityOf(score),
    now: knowsNow ? Math.min(100, now) : null,
    predicted: foresees ? Math.min(100, predicted) : null,
    reasons,
    unknown: [
      ...parts.filter((part) => part.now === undefined).map(({ component }) => component),
      ...(foresees ? [] : (['forecast'] as const)),
    ],
  }
}

const points = (rows: Rows, level: number | undefined): number | undefined =>
  level === undefined ? undefined : pointsOf(rows, level)

const within = 'expected within 30 minutes at worst (9 in 10)'

function cpuPart({ profile, now, predicted }: RiskInput): Part {
  const rows = profile === 'ml_compute' ? riskTable.cpu_used_ml : riskTable.cpu_used
  const used = cpuUsed(now)
  return {
    component: 'cpu_used',
    now: points(rows.now, used),
    nowText: `CPU used ${percent(used)}`,
    predicted: points(rows.predicted, predicted?.cpuUsed),
    predictedText: `CPU used ${percent(predicted?.cpuUsed)} ${within}`,
  }
}

function memoryPart({ profile, now, predicted }: RiskInput): Part {
  const { mem_used_pct: mem, swap_used_pct: swap } = now
  const ahead = predicted?.mem_used_pct
  const limit = criticalLimit(profile, 'mem_used_pct')!
  const text = {
    component: 'memory' as const,
    nowText: `memory ${percent(mem)}, critical at ${limit} %`,
    predictedText: `memory ${percent(ahead)} ${within}, critical at ${limit} %`,
  }
  if (profile === 'database') {
    const excused = swap !== undefined && swap < quietSwap
    const { now: rows, predicted: rowsAhead } = riskTable.memory_database
    return {
      ...text,
      now: excused && mem !== undefined ? 0 : points(rows, mem),
      predicted: excused && ahead !== undefined ? 0 : points(rowsAhead, ahead),
    }
  }
  const above = (x: number | undefined) => (x === undefined ? undefined : x - limit)
  return {
    ...text,
    now: points(riskTable.memory.now, above(mem)),
    predicted: points(riskTable.memory.predicted, above(ahead)),
  }
}

function ioWaitPart({ profile, now, predicted }: RiskInput): Part {
  const normal = normalIowait(profile)
  const times = (x: number | undefined) => (x === undefined ? undefined : x / normal)
  const { cpu_iowait_pct: iowait } = now
  const ahead = predicted?.cpu_iowait_pct
  return {
    component: 'io_wait',
    now: points(riskTable.io_wait.now, times(iowait)),
    nowText: `I/O wait ${percent(iowait)}, usual up to ${normal} %`,
    predicted: points(riskTable.io_wait.predicted, times(ahead)),
    predictedText: `I/O wait ${percent(ahead)} ${within}, usual up to ${normal} %`,
  }
}

function swapPart({ now: { swap_used_pct: swap } }: RiskInput): Part {
  return {
    component: 'swap',
    now: points(riskTable.swap.now, swap),
    nowText: `swap ${percent(swap)} used`,
    predicted: undefined,
    predictedText: '',
  }
}

function loadPart({ now, cores, predicted }: RiskInput): Part {
  const perCore = (load: number | undefined) =>
    load === undefined || cores === undefined ? undefined : load / cores
  const load = perCore(now.load_average)
  const ahead = perCore(predicted?.load_average)
  return {
    component: 'load',
    now: points(riskTable.load.now, load),
    nowText: `load ${load?.toFixed(1)} per core`,
    predicted: points(riskTable.load.predicted, ahead),
    predictedText: `load ${ahead?.toFixed(1)} per core ${within}`,
  }
}

/** The worse of back and front. */
function closeWaitPart(input: RiskInput): Part {
  const back = oneCloseWait(input, 'back_close_wait')
  const front = oneCloseWait(input, 'front_close_wait')
  const worth = ({ now = -1, predicted = -1 }: Part) => Math.max(now, predicted)
  return worth(front) > worth(back) ? front : back
}

function oneCloseWait(
  { profile, now, predicted, closeWaitTrend }: RiskInput,
  metric: CloseWait,
): Part {
  const where = metric === 'back_close_wait' ? 'back' : 'front'
  const normal = normalCloseWait(profile, metric)
  const warning = warningLimit(profile, metric)!
  const limit = criticalLimit(profile, metric)!
  const share = (n: number | undefined) =>
    n === undefined ? undefined : (n - warning) / (limit - warning)
  const sockets = now[metric]
  const perHour = closeWaitTrend?.[metric]
  const { fromNormal, fromSockets, hoursToLimit } = closeWaitRise
  const isRising =
    sockets !== undefined &&
    perHour !== undefined &&
    perHour >= closeWaitRise.perHour &&
    sockets >= Math.max(fromSockets, fromNormal * normal)
  const level = points(riskTable.close_wait.now, share(sockets))
  const nowPoints =
    level === undefined ? undefined : isRising ? Math.max(level, closeWaitRise.now) : level
  const hours = isRising ? (limit - sockets) / perHour : Infinity
  const isNear = hours > 0 && hours < hoursToLimit
  const peak = points(riskTable.close_wait.predicted, share(predicted?.[metric]))
  return {
    component: 'close_wait',
    now: nowPoints,
    nowText: `${sockets} ${where} sockets in CLOSE_WAIT, usual are ${normal}${isRising ? ', and rising' : ''}`,
    predicted: isNear ? Math.max(peak ?? 0, (nowPoints ?? 0) + closeWaitRise.predicted) : peak,
    predictedText: isNear
      ? `${where} CLOSE_WAIT reaches ${limit} in about ${Math.max(1, Math.round(hours))} h at this rate`
      : `${Math.round(predicted?.[metric] ?? 0)} ${where} sockets in CLOSE_WAIT ${within}`,
  }
}

function diskPart({ now, predicted }: RiskInput): Part {
  const { disk_usage_pct: disk } = now
  const ahead = predicted?.disk_usage_pct
  return {
    component: 'disk',
    now: points(riskTable.disk.now, disk),
    nowText: `disk ${percent(disk)} full`,
    predicted: points(riskTable.disk.predicted, ahead),
    predictedText: `disk ${percent(ahead)} full ${within}`,
  }
}

const percent = (x: number | undefined): string => `${x?.toFixed(1)} %`
