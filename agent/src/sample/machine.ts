import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Inventory } from '@harbinger/shared/sample'
import { takeInventory } from '../inventory.ts'
import { closeWaitCollector } from './close-wait.ts'
import type { Collector } from './collector.ts'
import { cpuCollector } from './cpu.ts'
import { diskCollector } from './disk.ts'
import { javaCollector } from './java.ts'
import { loadCollector } from './load.ts'
import { memoryCollector } from './memory.ts'
import { networkCollector } from './network.ts'
import { openProcfs } from './procfs.ts'
import { openSampler, type Sampler } from './sampler.ts'
import { uptimeCollector } from './uptime.ts'

/** Everything the agent can say about the machine it runs on. */
export type Machine = {
  readonly sampler: Sampler
  readonly collectors: readonly Collector[]
  /** To be asked after the first sample: it names the file system that one found. */
  inventory(): Inventory
}

type Options = {
  readonly procRoot: string
  readonly sysRoot: string
  readonly watchedFileSystem?: string | undefined
  readonly profile?: string | undefined
  readonly tags: readonly string[]
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>
  readonly log: Log
}

/** A Linux machine, seen through /proc and /sys. */
export function linuxMachine({ procRoot, sysRoot, clock, log, ...settings }: Options): Machine {
  const procfs = openProcfs(procRoot)
  const cpu = cpuCollector(procfs)
  const disk = diskCollector(procfs, { watched: settings.watchedFileSystem })
  const collectors: readonly Collector[] = [
    cpu,
    // After cpu, whose ticks it is a share of.
    javaCollector(procfs, cpu.capacity),
    memoryCollector(procfs),
    disk,
    networkCollector(procfs, openProcfs(sysRoot), clock.monotonicMs),
    closeWaitCollector(procfs, {
      onPace: (every, sockets) =>
        every > 1
          ? log.warn(
              { collector: 'close-wait', sockets, every },
              'so many sockets that only some samples count them',
            )
          : log.info({ collector: 'close-wait', sockets }, 'every sample counts the sockets again'),
    }),
    loadCollector(procfs),
    uptimeCollector(procfs),
  ]
  return {
    sampler: openSampler({ collectors, cores: cpu.cores, now: clock.now, log }),
    collectors,
    inventory: () =>
      takeInventory({
        procfs,
        cores: cpu.cores(),
        profile: settings.profile,
        tags: settings.tags,
        watchedFileSystem: disk.watched(),
      }),
  }
}
