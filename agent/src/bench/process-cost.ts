import { readdirSync, readFileSync } from 'node:fs'

/** What a process holds and has used, as the kernel counts it. */
export type ProcessCost = {
  readonly rssMb: number
  /** Anonymous memory: what is the process's own, without the files it maps. */
  readonly privateMb: number
  readonly cpuMs: number
}

export function processCost(pid: number): ProcessCost {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (label: string) =>
    (Number(new RegExp(`^${label}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]) * 1024) / 1e6
  return { rssMb: megabytes('Rss'), privateMb: megabytes('Anonymous'), cpuMs: cpuMs(pid) }
}

/** Of all threads, in nanoseconds as the scheduler counts them: ticks of 10 ms are longer than a sample takes. */
function cpuMs(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, spent) => sum + spent, 0) / 1e6
}

/** Processes that a process started and that still are. */
export const childrenOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim()
    return sum + (text === '' ? 0 : text.split(' ').length)
  }, 0)

/**
 * Growth in percent of the mean, per day, of values taken at instants in ms: the straight line of least squares. Undefined
 * with fewer than three values.
 */
export function slopePerDay(
  points: readonly { readonly at: number; readonly value: number }[],
): number | undefined {
  if (points.length < 3) return undefined
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length
  const middle = { at: mean(points.map(({ at }) => at)), value: mean(points.map((p) => p.value)) }
  let both = 0
  let spread = 0
  for (const { at, value } of points) {
    both += (at - middle.at) * (value - middle.value)
    spread += (at - middle.at) ** 2
  }
  return spread === 0 ? undefined : (100 * (both / spread) * 86_400_000) / middle.value
}
