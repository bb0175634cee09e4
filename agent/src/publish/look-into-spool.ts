import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { walkRecords } from './segment.ts'

/** What lies in a spool, seen from outside: nothing is opened for writing, cut off or removed. */
export type SpoolLook = {
  /** Samples that the hub has not acknowledged, by their numbers. */
  readonly waiting: number
  /** When the oldest of them was taken, ms. */
  readonly oldestAt: number | undefined
  readonly bytes: number
  /** Since the spool began. */
  readonly dropped: number
  /** Files that are no spool files any more. */
  readonly damaged: readonly string[]
}

/** Reads the last file of a spool and the one its oldest waiting sample is in, however large the spool is. */
export function lookIntoSpool(stateDirectory: string): SpoolLook {
  const folder = join(stateDirectory, 'spool')
  const files = readdirSync(folder)
    .filter((file) => /^\d{16}\.spool$/.test(file))
    .sort()
    .map((file) => ({ path: join(folder, file), first: Number(file.slice(0, 16)) }))
  const bytes = files.reduce((sum, { path }) => sum + statSync(path).size, 0)
  const none = { waiting: 0, oldestAt: undefined, bytes, dropped: 0, damaged: [] }
  const end = files.at(-1)
  if (!end) return none

  let [last, ackedUpTo, dropped] = [-1, -1, 0]
  const { whole } = walk(end.path, (record) => {
    last = Math.max(last, record.seq)
    ackedUpTo = Math.max(ackedUpTo, record.ackedUpTo)
    dropped = Math.max(dropped, record.dropped)
  })
  if (whole === 0) return { ...none, damaged: [end.path] }

  const holder = files.findLast(({ first }) => first <= ackedUpTo + 1) ?? files[0]!
  let oldestAt: number | undefined
  walk(holder.path, ({ seq, at }) => {
    if (seq > ackedUpTo) oldestAt ??= at
  })
  const waiting = Math.max(0, last - Math.max(ackedUpTo, files[0]!.first - 1))
  return { waiting, oldestAt: waiting > 0 ? oldestAt : undefined, bytes, dropped, damaged: [] }
}

const walk = (path: string, visit: Parameters<typeof walkRecords>[1]) =>
  walkRecords(readFileSync(path), visit, { wants: () => false })
