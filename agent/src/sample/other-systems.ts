import { loadavg, uptime } from 'node:os'
import type { MetricName } from '@harbinger/shared/metrics'
import type { Inventory } from '@harbinger/shared/sample'
import { productVersion } from '@harbinger/shared/version'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { type Collector, round, toPercent } from './collector.ts'
import { openSampler } from './sampler.ts'
import type { Machine } from './machine.ts'

type Options = {
  readonly platform: string
  readonly profile?: string | undefined
  readonly tags: readonly string[]
  readonly watchedFileSystem?: string | undefined
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

/** What only Linux's /proc tells, and why it is absent elsewhere. */
const unavailable: { readonly [name in MetricName]?: string } = {
  cpu_iowait_pct: 'only the Linux kernel counts time spent waiting for I/O',
  java_cpu_pct: 'read from /proc, which only Linux has',
  back_close_wait: 'read from /proc, which only Linux has',
  front_close_wait: 'read from /proc, which only Linux has',
}

/** A macOS or Windows machine, as far as systeminformation can see it without starting programs for sockets. */
export async function otherMachine({
  platform,
  profile,
  tags,
  watchedFileSystem,
  clock,
  log,
}: Options): Promise<Machine> {
  const { default: system } = await import('systeminformation')
  const cpu = await system.cpu()
  const os = await system.osInfo()
  const memory = await system.mem()
  let watched = watchedFileSystem

  const collectors: readonly Collector[] = [
    {
      name: 'cpu',
      reads: ['cpu_user_pct', 'cpu_sys_pct', 'cpu_idle_pct'],
      async collect() {
        const { currentLoadUser, currentLoadNice, currentLoadSystem, currentLoadIrq } =
          await system.currentLoad()
        const user = round(currentLoadUser + currentLoadNice)
        const sys = round(currentLoadSystem + currentLoadIrq)
        if (!Number.isFinite(user + sys)) return {}
        const idle = Math.max(0, round(100 - user - sys))
        return { cpu_user_pct: user, cpu_sys_pct: sys, cpu_idle_pct: idle }
      },
    },
    {
      name: 'memory',
      reads: ['mem_used_pct', 'swap_used_pct'],
      async collect() {
        const { total, available, swaptotal, swapused } = await system.mem()
        return {
          ...(total > 0 && { mem_used_pct: toPercent(total - available, total) }),
          swap_used_pct: swaptotal > 0 ? toPercent(swapused, swaptotal) : 0,
        }
      },
    },
    {
      name: 'disk',
      reads: ['disk_usage_pct'],
      async collect() {
        const writable = (await system.fsSize()).filter(
          ({ rw, use, mount }) =>
            rw && Number.isFinite(use) && (!watchedFileSystem || mount === watchedFileSystem),
        )
        const fullest = writable.sort((a, b) => b.use - a.use)[0]
        if (!fullest) return {}
        watched = fullest.mount
        return { disk_usage_pct: round(fullest.use) }
      },
    },
    {
      name: 'network',
      reads: ['net_in_mb_s', 'net_out_mb_s'],
      async collect() {
        // Without a name it answers for the interface of the default route; its first answer has no rate.
        const [stats] = await system.networkStats()
        if (!stats || stats.rx_sec == null || stats.tx_sec == null) return {}
        return {
          net_in_mb_s: round(stats.rx_sec / 1e6, 3),
          net_out_mb_s: round(stats.tx_sec / 1e6, 3),
        }
      },
    },
    {
      name: 'load',
      reads: ['load_average'],
      // Windows has no load, and node answers 0 there.
      collect: () => (platform === 'win32' ? {} : { load_average: round(loadavg()[0]!) }),
    },
    {
      name: 'uptime',
      reads: ['uptime_days'],
      collect: () => ({ uptime_days: round(uptime() / 86_400, 4) }),
    },
  ]

  return {
    sampler: openSampler({
      collectors,
      cores: () => cpu.cores || undefined,
      now: clock.now,
      log,
      timeoutMs: 10_000,
    }),
    collectors,
    inventory: (): Inventory => ({
      agentVersion: productVersion,
      os: `${os.distro} ${os.release}`.slice(0, 200),
      kernel: os.kernel.slice(0, 200),
      cpuModel: `${cpu.manufacturer} ${cpu.brand}`.slice(0, 200),
      ...(cpu.cores > 0 && { cores: cpu.cores }),
      memoryBytes: memory.total,
      swap: memory.swaptotal > 0,
      ...(profile !== undefined && { profile }),
      ...(watched !== undefined && { watchedFileSystem: watched }),
      ...(tags.length > 0 && { tags: [...tags] }),
      unavailable: {
        ...unavailable,
        ...(platform === 'win32' && { load_average: 'Windows has no load average' }),
      },
    }),
  }
}
