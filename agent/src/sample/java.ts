import { type Collector, toPercent } from './collector.ts'
import { isGone, type Procfs } from './procfs.ts'

/** One line of /proc/[pid]/stat, as far as it matters here, see proc_pid_stat(5). */
export type ProcessStat = {
  readonly comm: string
  /** User and system time of the process and all its threads. */
  readonly ticks: number
  /** Ticks after boot; with the pid it tells two processes apart that had one pid. */
  readonly startedAt: number
}

type Process = ProcessStat & {
  readonly isJava: boolean
  /** The sample that saw it first as what it is. */
  readonly since: number
}

/**
 * What is no JVM and was none for so many samples is looked at again every so many samples only: reading 500 processes
 * costs nearly as much as reading 5,000 sockets.
 */
const lookAgain = 6

/**
 * CPU of all JVM processes together, as a share of all cores: 0 when there is none, absent when /proc hides the
 * processes of other users (mounted with hidepid), because the JVMs could be among them.
 *
 * A JVM is a process whose command or first argument is called java; a launcher with the JVM built in is not
 * recognised. A JVM that started since the previous call counts in full, one that ended takes its last ticks with
 * it. An old process that becomes a JVM, or whose pid a JVM got within one interval, is found out up to six samples later.
 * `capacity` says how many ticks there were to use, so this collector comes after the one for the CPU.
 */
export function javaCollector(
  procfs: Pick<Procfs, 'readRecord' | 'list'>,
  capacity: () => number,
): Collector<'java_cpu_pct'> {
  let previous: Map<number, Process> | undefined
  let round = 0

  function readProcess(pid: number): Process | undefined {
    try {
      const stat = parseProcessStat(procfs.readRecord(`${pid}/stat`))
      const known = previous?.get(pid)
      // The command is part of the comparison: a start script that ends in `exec java` keeps pid and start time.
      if (known?.startedAt === stat.startedAt && known.comm === stat.comm) {
        return { ...stat, isJava: known.isJava, since: known.since }
      }
      const isJava = stat.comm === 'java' || isJavaCommand(procfs.readRecord(`${pid}/cmdline`))
      return { ...stat, isJava, since: round }
    } catch (error) {
      if (isGone(error) || isForbidden(error)) return undefined
      throw error
    }
  }

  /** Spread over the samples by pid, so that none has to look at many. */
  function isSettled({ isJava, since }: Process, pid: number): boolean {
    return !isJava && round - since >= lookAgain && (pid + round) % lookAgain !== 0
  }

  return {
    name: 'java',
    reads: ['java_cpu_pct'],
    collect() {
      // Process 1 belongs to root: who can see it can see everybody's.
      const sawInit = readProcess(1) !== undefined
      round++
      const current = new Map<number, Process>()
      let used = 0
      for (const name of sawInit ? procfs.list('.') : []) {
        const pid = toPid(name)
        if (pid === undefined) continue
        const known = previous?.get(pid)
        const process = known && isSettled(known, pid) ? known : readProcess(pid)
        if (!process) continue
        current.set(pid, process)
        if (process.isJava && previous) used += ticksSince(previous.get(pid), process)
      }
      const isFirst = previous === undefined
      previous = current
      return !sawInit || isFirst || capacity() === 0
        ? {}
        : { java_cpu_pct: toPercent(used, capacity()) }
    },
  }
}

function ticksSince(before: Process | undefined, after: Process): number {
  if (!before || before.startedAt !== after.startedAt) return after.ticks
  // What it used before it became a JVM was somebody else's work.
  return before.isJava ? Math.max(0, after.ticks - before.ticks) : 0
}

const isForbidden = (error: unknown): boolean => {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EACCES' || code === 'EPERM'
}

function toPid(name: string): number | undefined {
  const first = name.charCodeAt(0)
  return first >= 0x30 && first <= 0x39 ? Number(name) : undefined
}

/** The command may hold spaces and parentheses, so what follows is counted from the last parenthesis. */
export function parseProcessStat(stat: Buffer): ProcessStat {
  const text = stat.toString('latin1')
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  // From the state (field 3) on: utime is field 14, stime 15, starttime 22.
  const fields = text.slice(close + 2).split(' ', 20)
  const ticks = Number(fields[11]) + Number(fields[12])
  const startedAt = Number(fields[19])
  if (open === -1 || close < open || !(ticks >= 0) || !(startedAt >= 0)) {
    throw new Error(
      `/proc/[pid]/stat: expected a process, got ${JSON.stringify(text.slice(0, 80))}`,
    )
  }
  return { comm: text.slice(open + 1, close), ticks, startedAt }
}

/** True when the first argument is java, with or without a path. */
export function isJavaCommand(cmdline: Buffer): boolean {
  const end = cmdline.indexOf(0)
  const command = cmdline.toString('latin1', 0, end === -1 ? cmdline.length : end)
  return command.slice(command.lastIndexOf('/') + 1) === 'java'
}
