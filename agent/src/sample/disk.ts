import { statfs } from 'node:fs'
import { type Collector, round } from './collector.ts'
import type { Procfs } from './procfs.ts'

/** Blocks of a file system, as statfs(2) counts them. */
export type Blocks = { readonly blocks: number; readonly bfree: number; readonly bavail: number }

export type Mount = {
  readonly mountPoint: string
  readonly type: string
  readonly source: string
  /** major:minor; the same for every place one block device is mounted at. */
  readonly device: string
  readonly writable: boolean
}

type Options = {
  /** A mount point, or any path on the file system meant; by default the fullest local one is watched. */
  readonly watched?: string | undefined
  readonly usageOf?: (path: string) => Promise<Blocks>
}

export type DiskCollector = Collector<'disk_usage_pct'> & {
  /** The file system the last reading was of. */
  watched(): string | undefined
}

/** How full the watched file system is, as df says it. */
export function diskCollector(
  procfs: Pick<Procfs, 'read'>,
  { watched, usageOf = blocksOf }: Options = {},
): DiskCollector {
  let mountTable = Buffer.alloc(0)
  let mountPoints: readonly string[] = []
  let fullest = watched

  function localMountPoints(): readonly string[] {
    const current = procfs.read('self/mountinfo')
    // A container host has thousands of mounts and seldom a new one.
    if (!current.equals(mountTable)) {
      mountTable = Buffer.from(current)
      mountPoints = pickLocal(parseMounts(current.toString('utf8')))
    }
    return mountPoints
  }

  return {
    name: 'disk',
    reads: ['disk_usage_pct'],
    watched: () => fullest,
    async collect() {
      if (watched !== undefined) {
        const usage = toUsage(await usageOf(watched))
        return usage === undefined ? {} : { disk_usage_pct: usage }
      }
      let highest: number | undefined
      for (const mountPoint of localMountPoints()) {
        const usage = await usageOf(mountPoint).then(toUsage, unreachable)
        if (usage === undefined || (highest !== undefined && usage <= highest)) continue
        highest = usage
        fullest = mountPoint
      }
      return highest === undefined ? {} : { disk_usage_pct: highest }
    },
  }
}

/** On a thread of its own: a dying disk may never answer. */
const blocksOf = (path: string): Promise<Blocks> =>
  new Promise((resolve, reject) =>
    statfs(path, (error, blocks) => (error ? reject(error) : resolve(blocks))),
  )

/** A mount in a folder the agent may not enter cannot be watched; the others can. */
const unreachable = (error: NodeJS.ErrnoException): undefined => {
  if (error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'ENOENT') return undefined
  throw error
}

/** df's own arithmetic: blocks kept for root are neither used nor available. Undefined for a system without blocks. */
export function toUsage({ blocks, bfree, bavail }: Blocks): number | undefined {
  const used = blocks - bfree
  return used + bavail > 0 ? round((100 * used) / (used + bavail)) : undefined
}

/** /proc/self/mountinfo, see proc_pid_mountinfo(5). */
export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      // A variable number of optional fields ends at a lone dash.
      const [mount = '', superBlock = ''] = line.split(' - ', 2)
      const [, , device, , mountPoint] = mount.split(' ')
      const [type, source, superOptions] = superBlock.split(' ')
      if (device === undefined || mountPoint === undefined || !type) {
        throw new Error(
          `/proc/self/mountinfo: expected a mount, got ${JSON.stringify(line.slice(0, 80))}`,
        )
      }
      return {
        mountPoint: unescape(mountPoint),
        type,
        source: source ?? '',
        device,
        // Of the file system, not of the mount: in a service that may write nowhere (ProtectSystem=strict) every mount
        // is read-only, and the disks fill all the same.
        writable: !isReadOnly(superOptions ?? ''),
      }
    })
}

const isReadOnly = (options: string): boolean => options.split(',').includes('ro')

/** The kernel writes space, tab, newline and backslash as three octal digits. */
const unescape = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )

/** File systems that keep what is written to them on this machine's disks. */
const localTypes = new Set(
  'ext2 ext3 ext4 xfs btrfs f2fs jfs reiserfs nilfs2 zfs bcachefs vfat exfat ntfs ntfs3 fuseblk'.split(
    ' ',
  ),
)

/** Each local, writable file system once, where it is mounted first: a bind mount shows the same blocks again. */
export function pickLocal(mounts: readonly Mount[]): string[] {
  const seen = new Set<string>()
  const local = mounts.filter(({ type, source, device, writable }) => {
    if (!writable || !localTypes.has(type)) return false
    // Every btrfs subvolume has a device number of its own (major 0); the source says which are one.
    const blocks = device.startsWith('0:') ? `${type} ${source}` : device
    return !seen.has(blocks) && seen.add(blocks)
  })
  // A container may see nothing but its own root.
  if (local.length === 0) {
    return mounts
      .filter(
        ({ mountPoint, type, writable }) => mountPoint === '/' && type === 'overlay' && writable,
      )
      .map(({ mountPoint }) => mountPoint)
  }
  return local.map(({ mountPoint }) => mountPoint)
}
