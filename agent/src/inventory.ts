import { readFileSync } from 'node:fs'
import type { MetricName } from '@harbinger/shared/metrics'
import type { Inventory } from '@harbinger/shared/sample'
import { productVersion } from '@harbinger/shared/version'
import { parseMemory } from './sample/memory.ts'
import type { Procfs } from './sample/procfs.ts'

type Options = {
  readonly procfs: Pick<Procfs, 'text' | 'exists'>
  readonly cores: number | undefined
  readonly profile?: string | undefined
  readonly tags: readonly string[]
  readonly watchedFileSystem: string | undefined
  readonly readOsRelease?: () => string
}

/** What this server is; sent once per connection. What cannot be found out is absent. */
export function takeInventory({
  procfs,
  cores,
  profile,
  tags,
  watchedFileSystem,
  readOsRelease = () => readFileSync('/etc/os-release', 'utf8'),
}: Options): Inventory {
  const memory = attempt(() => parseMemory(procfs.text('meminfo')))
  const hasSwap = memory?.swapTotal === undefined ? undefined : memory.swapTotal > 0
  const known = {
    os: attempt(() => parseOsName(readOsRelease())),
    kernel: attempt(() => procfs.text('sys/kernel/osrelease').trim()),
    cpuModel: attempt(() => parseCpuModel(procfs.text('cpuinfo'))),
    cores,
    memoryBytes: memory && memory.total * 1024,
    profile,
    watchedFileSystem,
    swap: hasSwap,
  }
  const unavailable = {
    ...(memory?.available === undefined && {
      mem_used_pct: 'this kernel does not say how much memory is available (before 3.14)',
    }),
    // Process 1 belongs to root: who cannot see it cannot see everybody's.
    ...(!procfs.exists('1/stat') && {
      java_cpu_pct: '/proc hides the processes of other users (mounted with hidepid)',
    }),
  } satisfies { [name in MetricName]?: string }

  return {
    agentVersion: productVersion,
    ...(Object.fromEntries(
      Object.entries(known).filter(([, value]) => value !== undefined && value !== ''),
    ) as Partial<Inventory>),
    ...(tags.length > 0 && { tags: [...tags] }),
    ...(Object.keys(unavailable).length > 0 && { unavailable }),
  }
}

/** A missing file is a missing line of the inventory, nothing more. */
function attempt<Value>(find: () => Value): Value | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}

/** PRETTY_NAME of os-release(5). */
export const parseOsName = (osRelease: string): string | undefined =>
  /^PRETTY_NAME=(["']?)(.*)\1$/m.exec(osRelease)?.[2]?.slice(0, 200)

/** x86 says "model name"; ARM kernels say "Model" or "Hardware", or nothing. */
export const parseCpuModel = (cpuinfo: string): string | undefined =>
  /^(?:model name|Model|Hardware|cpu model)\s*:\s*(.+)$/m.exec(cpuinfo)?.[1]?.trim().slice(0, 200)
