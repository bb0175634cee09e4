import { type Collector, round } from './collector.ts'
import type { Procfs } from './procfs.ts'

const secondsPerDay = 86_400

/** Days since the server started; four decimals are nine seconds, less than one sample is apart from the next. */
export const uptimeCollector = (procfs: Pick<Procfs, 'text'>): Collector<'uptime_days'> => ({
  name: 'uptime',
  reads: ['uptime_days'],
  collect: () => ({ uptime_days: round(parseUptime(procfs.text('uptime')) / secondsPerDay, 4) }),
})

/** Seconds since boot: the first field of /proc/uptime, see proc_uptime(5). */
export function parseUptime(uptime: string): number {
  const seconds = Number.parseFloat(uptime)
  if (!(seconds >= 0)) {
    throw new Error(`/proc/uptime: expected seconds, got ${JSON.stringify(uptime.slice(0, 80))}`)
  }
  return seconds
}
