import type { Collector } from './collector.ts'
import type { Procfs } from './procfs.ts'

/** The 1-minute load as the kernel counts it, not divided by cores. */
export const loadCollector = (procfs: Pick<Procfs, 'text'>): Collector<'load_average'> => ({
  name: 'load',
  reads: ['load_average'],
  collect: () => ({ load_average: parseLoad(procfs.text('loadavg')) }),
})

/** /proc/loadavg, see proc_loadavg(5). */
export function parseLoad(loadavg: string): number {
  const load = Number.parseFloat(loadavg)
  if (!(load >= 0)) {
    throw new Error(`/proc/loadavg: expected a load, got ${JSON.stringify(loadavg.slice(0, 80))}`)
  }
  return load
}
