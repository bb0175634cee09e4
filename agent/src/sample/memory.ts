import { type Collector, toPercent } from './collector.ts'
import type { Procfs } from './procfs.ts'

/** In kB, as the kernel writes them. */
export type Memory = {
  readonly total: number
  readonly available: number | undefined
  readonly swapTotal: number | undefined
  readonly swapFree: number | undefined
}

/**
 * Memory that programs could not have, and swap in use. Kernels before 3.14 do not say what is available; every
 * formula that guesses it from free and cached memory is another metric, so there it is absent.
 */
export function memoryCollector(
  procfs: Pick<Procfs, 'text'>,
): Collector<'mem_used_pct' | 'swap_used_pct'> {
  return {
    name: 'memory',
    reads: ['mem_used_pct', 'swap_used_pct'],
    collect() {
      const { total, available, swapTotal, swapFree } = parseMemory(procfs.text('meminfo'))
      return {
        ...(available !== undefined && { mem_used_pct: toPercent(total - available, total) }),
        ...(swapTotal !== undefined &&
          swapFree !== undefined && {
            // A server without swap uses none of it; its inventory says that it has none.
            swap_used_pct: swapTotal === 0 ? 0 : toPercent(swapTotal - swapFree, swapTotal),
          }),
      }
    },
  }
}

/** /proc/meminfo, see proc_meminfo(5). */
export function parseMemory(meminfo: string): Memory {
  const kilobytes = (label: string): number | undefined => {
    const found = new RegExp(`^${label}:\\s+(\\d+) kB$`, 'm').exec(meminfo)
    return found ? Number(found[1]) : undefined
  }
  const total = kilobytes('MemTotal')
  if (!total) {
    throw new Error(`/proc/meminfo has no MemTotal: ${JSON.stringify(meminfo.slice(0, 80))}`)
  }
  return {
    total,
    available: kilobytes('MemAvailable'),
    swapTotal: kilobytes('SwapTotal'),
    swapFree: kilobytes('SwapFree'),
  }
}
