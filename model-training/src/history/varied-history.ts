import { metricIndex, metricNames, networkMetricNames } from '@harbinger/shared/metrics'
import { addValues, minuteMs } from '@harbinger/shared/window/series'
import { draws } from '../simulator/random.ts'
import { drawCourse, drawHabit } from '../simulator/varied-course.ts'
import { closeAllQuarters, type FleetHistory, spanSeries } from './fleet-history.ts'

const stepMinutes = 5
const stepsPerDay = (24 * 60) / stepMinutes
const dayMs = 24 * 60 * minuteMs

export type VariedOptions = {
  readonly seed: number
  readonly servers: number
  /** ms since the epoch. */
  readonly startAt: number
  readonly days: number
}

/** Usual values, log-uniform: how far servers differ in each metric. */
const levels: { readonly [name: string]: readonly [low: number, high: number] } = {
  cpu_user_pct: [1, 60],
  cpu_sys_pct: [0.3, 20],
  cpu_iowait_pct: [0.05, 20],
  java_cpu_pct: [0.5, 40],
  mem_used_pct: [5, 90],
  swap_used_pct: [0.1, 50],
  net_in_mb_s: [0.01, 500],
  net_out_mb_s: [0.01, 500],
  back_close_wait: [0.5, 300],
  front_close_wait: [0.5, 300],
  load_average: [0.1, 60],
}

/**
 * A history of servers that differ from each other as much as chance allows, without profiles: it keeps a network
 * that sees few real days from learning those days by heart (in the way of prior-fitted networks, Dooley et al. 2023,
 * arXiv 2311.01933). Labelled as simulated.
 */
export function variedHistory({ seed, servers, startAt, days }: VariedOptions): FleetHistory {
  const steps = days * stepsPerDay
  return {
    name: `simulated-varied-${seed}`,
    simulated: true,
    servers: Array.from({ length: servers }, (_, i) => {
      const series = spanSeries(startAt, startAt + days * dayMs - 1, stepMinutes)
      const courses = drawServer(seed, i, steps, new Date(startAt).getUTCDay())
      const row = new Float32Array(metricNames.length).fill(NaN)
      for (let t = 0; t < steps; t++) {
        for (const [place, course] of courses) row[place] = course[t]!
        addValues(series, startAt + t * stepMinutes * minuteMs, row)
      }
      closeAllQuarters(series)
      return { name: `varied-${seed}-${i}`, profile: undefined, cores: undefined, series }
    }),
    from: startAt,
    to: startAt + days * dayMs - 1,
    intervalMinutes: stepMinutes,
    metrics: networkMetricNames,
  }
}

function drawServer(seed: number, server: number, steps: number, firstWeekday: number) {
  const chance = draws(seed, 0xa11, server)
  const habit = drawHabit(chance, steps)
  const courses = new Map<number, Float32Array>()
  const course = (name: keyof typeof levels): Float32Array => {
    const level = chance.spread(...levels[name]!)
    const own = drawCourse(draws(seed, server, metricIndex[name as 'load_average']), {
      ...{ steps, habit, firstWeekday },
    })
    const max = (name as string).endsWith('_pct') ? 100 : Infinity
    const whole = (name as string).endsWith('close_wait')
    return own.map((x) => Math.min(max, whole ? Math.round(level * x) : level * x))
  }
  for (const name of Object.keys(levels))
    courses.set(metricIndex[name as 'load_average'], course(name))
  balanceCpu(courses, steps)
  return courses
}

/** The four parts of CPU time are 100 together, as on a real machine. */
function balanceCpu(courses: Map<number, Float32Array>, steps: number): void {
  const parts = (['cpu_user_pct', 'cpu_sys_pct', 'cpu_iowait_pct'] as const).map((name) =>
    courses.get(metricIndex[name])!,
  )
  const idle = new Float32Array(steps)
  for (let t = 0; t < steps; t++) {
    const busy = parts.reduce((sum, part) => sum + part[t]!, 0)
    if (busy > 100) for (const part of parts) part[t] = (part[t]! * 100) / busy
    idle[t] = Math.max(0, 100 - Math.min(100, busy))
  }
  courses.set(metricIndex.cpu_idle_pct, idle)
}
