import { type Collector, round, toPercent } from './collector.ts'
import type { Procfs } from './procfs.ts'

/** Ticks since boot; sys holds system, irq, softirq and steal, and steal is there once more by itself. */
export type CpuTicks = {
  readonly user: number
  readonly sys: number
  readonly ioWait: number
  readonly idle: number
  readonly steal: number
}

export type CpuTimes = { readonly all: CpuTicks; readonly perCore: ReadonlyMap<number, CpuTicks> }

type Name = 'cpu_user_pct' | 'cpu_sys_pct' | 'cpu_iowait_pct' | 'cpu_idle_pct' | 'cpu_steal_pct'

export type CpuCollector = Collector<Name> & {
  /** Cores online at the last reading. */
  cores(): number | undefined
  /** How many ticks all cores had together between the last two readings: what a process could have used. */
  capacity(): number
}

/** Where the time of all cores went since the previous call. Its four parts are 100 together, to the last digit. */
export function cpuCollector(procfs: Pick<Procfs, 'read'>): CpuCollector {
  let previous: CpuTimes | undefined
  let capacity = 0

  return {
    name: 'cpu',
    reads: ['cpu_user_pct', 'cpu_sys_pct', 'cpu_iowait_pct', 'cpu_idle_pct', 'cpu_steal_pct'],
    cores: () => previous?.perCore.size || undefined,
    capacity: () => capacity,
    collect() {
      const current = parseCpuTimes(procfs.read('stat'))
      const spent = ticksBetween(previous ?? current, current)
      previous = current

      capacity = spent.user + spent.sys + spent.ioWait + spent.idle
      if (capacity === 0) return {}

      const user = toPercent(spent.user, capacity)
      const sys = toPercent(spent.sys, capacity)
      const ioWait = toPercent(spent.ioWait, capacity)
      return {
        cpu_user_pct: user,
        cpu_sys_pct: sys,
        cpu_iowait_pct: ioWait,
        // The remainder, so that rounding cannot move the sum away from 100.
        cpu_idle_pct: Math.max(0, round(100 - user - sys - ioWait)),
        cpu_steal_pct: toPercent(spent.steal, capacity),
      }
    },
  }
}

/** The cpu lines that open /proc/stat, see proc_stat(5): user nice system idle iowait irq softirq steal … */
export function parseCpuTimes(stat: Buffer): CpuTimes {
  let all: CpuTicks | undefined
  const perCore = new Map<number, CpuTicks>()

  for (let start = 0; start < stat.length;) {
    const newline = stat.indexOf(0x0a, start)
    const end = newline === -1 ? stat.length : newline
    const line = stat.toString('latin1', start, end)
    start = end + 1
    // What follows (interrupt counters) is many times longer than the cpu lines and not wanted.
    if (!line.startsWith('cpu')) break

    const [label, ...fields] = line.trimEnd().split(/ +/)
    const ticks = parseTicks(fields)
    if (!ticks) throw notACpuLine(line)
    if (label === 'cpu') all = ticks
    else perCore.set(Number(label!.slice(3)), ticks)
  }
  if (!all) throw notACpuLine(stat.toString('latin1', 0, 80))
  return { all, perCore }
}

const notACpuLine = (line: string) =>
  new Error(`/proc/stat: expected a cpu line, got ${JSON.stringify(line.slice(0, 80))}`)

function parseTicks(fields: readonly string[]): CpuTicks | undefined {
  // Guest time, from the ninth field on, is already inside user and nice.
  const ticks = fields.slice(0, 8).map(Number)
  if (ticks.length < 4 || ticks.some((tick) => !Number.isFinite(tick))) return undefined
  // Kernels before 2.6.11 have fewer columns; what they do not count is in the others.
  const [user = 0, nice = 0, system = 0, idle = 0, ioWait = 0, irq = 0, softIrq = 0, steal = 0] =
    ticks
  return { user: user + nice, sys: system + irq + softIrq + steal, ioWait, idle, steal }
}

/**
 * While the same cores are online the kernel's own sum is used. When one came or went, its whole past enters or
 * leaves that sum, so the time of the cores that were there at both readings is added up instead.
 */
function ticksBetween(before: CpuTimes, after: CpuTimes): CpuTicks {
  const stayed = [...after.perCore.keys()].filter((core) => before.perCore.has(core))
  const unchanged =
    stayed.length === after.perCore.size && before.perCore.size === after.perCore.size
  if (unchanged || stayed.length === 0) return difference(before.all, after.all)
  return stayed
    .map((core) => difference(before.perCore.get(core)!, after.perCore.get(core)!))
    .reduce((sum, ticks) => ({
      user: sum.user + ticks.user,
      sys: sum.sys + ticks.sys,
      ioWait: sum.ioWait + ticks.ioWait,
      idle: sum.idle + ticks.idle,
      steal: sum.steal + ticks.steal,
    }))
}

/** The kernel lets idle and iowait run backwards on tickless cores; time that did so counts as none. */
const difference = (before: CpuTicks, after: CpuTicks): CpuTicks => ({
  user: Math.max(0, after.user - before.user),
  sys: Math.max(0, after.sys - before.sys),
  ioWait: Math.max(0, after.ioWait - before.ioWait),
  idle: Math.max(0, after.idle - before.idle),
  steal: Math.max(0, after.steal - before.steal),
})
