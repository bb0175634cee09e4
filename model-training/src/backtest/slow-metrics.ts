import { Q, quantileLevels, quantileOfSorted } from '@harbinger/shared/forecast/quantiles'
import {
  aheadHours,
  diskForecast,
  type SlowForecast,
} from '@harbinger/shared/forecast/slow/slow-forecast'
import { hoursOf, slowTrack, type Track } from '@harbinger/shared/forecast/slow/slow-track'
import { uptimeForecast } from '@harbinger/shared/forecast/slow/uptime-forecast'
import { minuteMs } from '@harbinger/shared/window/series'
import { horizonSteps } from '@harbinger/shared/window/window-batch'
import type { FleetHistory } from '../history/fleet-history.ts'

/** How well a slow metric is forecast at one distance; null where nothing could be scored. */
export type SlowSlice = {
  readonly points: number
  readonly wql: number | null
  readonly coverage80: number | null
  /** Median of |truth − median forecast|, in the metric's unit. */
  readonly medianError: number | null
  /** Of the same points. Disk's have widths from their own past errors; uptime's are certain. */
  readonly baselines: { readonly [name: string]: number | null }
  readonly bestBaseline: string | null
  /** 1 − wql / that of the best baseline: above 0 is better. */
  readonly skill: number | null
}

export type SlowMetricReport = { readonly [distance: string]: SlowSlice }
/** Only metrics that the history has. */
export type SlowMetricsReport = {
  readonly disk_usage_pct?: SlowMetricReport
  readonly uptime_days?: SlowMetricReport
}

export type SlowBacktestOptions = {
  readonly history: FleetHistory
  readonly from: number
  readonly to: number
  /** Hours between origins; default 12, as slow metrics are slow. */
  readonly everyHours?: number
}

type Distance = { readonly name: string; readonly hours: readonly number[] }
const stepHours = Array.from({ length: horizonSteps }, (_, f) => (f + 0.5) / 4)
const distances: readonly Distance[] = [
  { name: '0-1h', hours: stepHours.slice(0, 4) },
  { name: '1-4h', hours: stepHours.slice(4, 16) },
  { name: '4-8h', hours: stepHours.slice(16) },
  ...[1, 3, 7, 14].map((days) => ({ name: `${days}d`, hours: [24 * days] })),
]
/** Levels of the weighted quantile loss, as places among the seven. */
const scored = [1, 3, 5] as const
const middle = 3

type Sums = {
  pinball: number
  truth: number
  points: number
  covered: number
  readonly away: number[]
  /** Summed loss per baseline. */
  readonly others: Map<string, number>
}

/** Forecasts disk and uptime from rolling origins with what was known then, and scores what came. */
export function backtestSlow(options: SlowBacktestOptions): SlowMetricsReport {
  const disk = judge(options, {
    metric: 'disk_usage_pct',
    forecast: diskForecast,
    baselines: { 'last-value': lastValue, 'linear-24h': linearDay },
    hasWidths: true,
  })
  const uptime = judge(options, {
    metric: 'uptime_days',
    forecast: uptimeForecast,
    baselines: { 'no-restart': noRestart },
    hasWidths: false,
  })
  return { ...(disk && { disk_usage_pct: disk }), ...(uptime && { uptime_days: uptime }) }
}

type Point = (track: Track, ahead: number, now: number) => number
type How = {
  readonly metric: 'disk_usage_pct' | 'uptime_days'
  readonly forecast: (
    series: FleetHistory['servers'][number]['series'],
    now: number,
  ) => SlowForecast | undefined
  readonly baselines: { readonly [name: string]: Point }
  /** Whether the baselines have widths; else they say what they say for certain. */
  readonly hasWidths: boolean
}

function judge(
  { history, from, to, everyHours = 12 }: SlowBacktestOptions,
  how: How,
): SlowMetricReport | undefined {
  const all = distances.map((): Sums => ({
    ...{ pinball: 0, truth: 0, points: 0, covered: 0, away: [] },
    others: new Map(Object.keys(how.baselines).map((name) => [name, 0])),
  }))
  const every = everyHours * 60 * minuteMs
  for (const { series } of history.servers) {
    const past = distances.map(() => new Map<string, PastPoint[]>())
    for (let now = Math.ceil(from / every) * every; now < to; now += every) {
      const made = how.forecast(series, now)
      if (!made) continue
      const track = slowTrack(series, how.metric, now)
      const hour = hoursOf(now)
      distances.forEach(({ hours }, d) => {
        const { of, places } = numbersAt(made, hours)
        hours.forEach((ahead, i) => {
          const truth = quarterAt(series, how.metric, now + ahead * 60 * minuteMs, to)
          if (truth === undefined || places[i]! < 0) return
          add(all[d]!, { truth, quantiles: of, place: places[i]! })
          for (const [name, point] of Object.entries(how.baselines)) {
            const error = truth - point(track, ahead, hour)
            const own = past[d]!.get(name) ?? []
            const known = own.filter(({ at }) => at <= hour).map(({ error }) => error)
            const offsets = how.hasWidths ? offsetsOf(known, ahead) : none
            const { others } = all[d]!
            others.set(name, others.get(name)! + lossOf(error, offsets))
            own.push({ at: hour + ahead, error })
            past[d]!.set(name, own)
          }
        })
      })
    }
  }
  if (all.every(({ points }) => points === 0)) return undefined
  return Object.fromEntries(distances.map(({ name }, d) => [name, toSlice(all[d]!)]))
}

function numbersAt(made: SlowForecast, hours: readonly number[]) {
  if (hours[0]! < 8) return { of: made.quantiles, places: hours.map((ahead) => ahead * 4 - 0.5) }
  const places = hours.map((ahead) => {
    const place = aheadHours.indexOf(ahead)
    return place < made.daysAhead.hours.length ? place : -1
  })
  return { of: made.daysAhead.quantiles, places }
}

/** Mean of what was measured in the quarter of an hour around an instant. */
function quarterAt(
  series: FleetHistory['servers'][number]['series'],
  metric: How['metric'],
  at: number,
  to: number,
): number | undefined {
  const until = at + 7.5 * minuteMs
  if (until > to + minuteMs) return undefined
  const begin = Math.floor((at - 7.5 * minuteMs) / minuteMs)
  const around = { ...series, firstMinute: Math.max(series.firstMinute, begin) }
  const { values, hours } = slowTrack(around, metric, until)
  if (hours.length === 0) return undefined
  // Uptime passes between the asked instant and the middle of what was measured around it.
  const passes = metric === 'uptime_days' ? 1 / 24 : 0
  const sum = values.reduce((s, value, i) => s + value + passes * (hoursOf(at) - hours[i]!), 0)
  return sum / hours.length
}

function add(
  sums: Sums,
  { truth, quantiles, place }: { truth: number; quantiles: Float32Array; place: number },
): void {
  for (const q of scored) {
    const miss = truth - quantiles[place * Q + q]!
    sums.pinball += Math.max(quantileLevels[q] * miss, (quantileLevels[q] - 1) * miss)
  }
  sums.truth += Math.abs(truth)
  sums.points++
  if (truth >= quantiles[place * Q + scored[0]]! && truth <= quantiles[place * Q + scored[2]]!) {
    sums.covered++
  }
  sums.away.push(Math.abs(truth - quantiles[place * Q + middle]!))
}

function toSlice({ pinball, truth, points, covered, away, others }: Sums): SlowSlice {
  const wql = points > 0 && truth > 0 ? (2 * pinball) / (scored.length * truth) : null
  const baselines: { [name: string]: number | null } = {}
  let best: { name: string; wql: number } | undefined
  for (const [name, own] of others) {
    const value = wql === null ? null : (2 * own) / (scored.length * truth)
    baselines[name] = figure(value)
    if (value !== null && (!best || value < best.wql)) best = { name, wql: value }
  }
  return {
    points,
    wql: figure(wql),
    coverage80: figure(points > 0 ? covered / points : null),
    medianError: figure(
      points > 0
        ? quantileOfSorted(
            away.sort((a, b) => a - b),
            0.5,
          )
        : null,
    ),
    baselines,
    bestBaseline: best?.name ?? null,
    skill: figure(wql !== null && best && best.wql > 0 ? 1 - wql / best.wql : null),
  }
}

type PastPoint = { readonly at: number; readonly error: number }

const none = [0, 0, 0] as const
/** Fewer errors of its own say nothing of a baseline's width. */
const fewestErrors = 8
const normal90 = 1.2816

/** A baseline's 10, 50 and 90 % quantiles about its point: those of its own errors that were known by then. */
function offsetsOf(known: readonly number[], ahead: number): readonly number[] {
  if (known.length < fewestErrors) {
    const width = normal90 * 0.015 * (4 * ahead) ** 0.85
    return [-width, 0, width]
  }
  const sorted = Float64Array.from(known.slice(-200)).sort()
  return scored.map((q) => quantileOfSorted(sorted, quantileLevels[q]))
}

function lossOf(error: number, offsets: readonly number[]): number {
  return scored.reduce((sum, q, i) => {
    const miss = error - offsets[i]!
    return sum + Math.max(quantileLevels[q] * miss, (quantileLevels[q] - 1) * miss)
  }, 0)
}

const lastValue: Point = ({ values }) => values.at(-1)!

/** Least squares over the last 24 hours, from the line. */
const linearDay: Point = ({ hours, values }, ahead, now) => {
  let n = 0
  let x = 0
  let y = 0
  let xx = 0
  let xy = 0
  for (let i = hours.length - 1; i >= 0 && hours[i]! >= now - 24; i--) {
    const t = hours[i]! - now
    n++
    x += t
    y += values[i]!
    xx += t * t
    xy += t * values[i]!
  }
  const wide = n * xx - x * x
  const slope = wide > 0 ? (n * xy - x * y) / wide : 0
  const level = n > 0 ? (y - slope * x) / n : values.at(-1)!
  return Math.min(100, Math.max(0, level + slope * ahead))
}

const noRestart: Point = ({ hours, values }, ahead, now) =>
  values.at(-1)! + (now - hours.at(-1)! + ahead) / 24

const figure = (value: number | null | undefined): number | null =>
  value === null || value === undefined || !Number.isFinite(value)
    ? null
    : Number(value.toPrecision(6))
