import { open, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { failed, type Finding, fine, notChecked, warning } from '@harbinger/shared/findings'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { lookIntoSpool } from '../publish/look-into-spool.ts'
import { inTime } from './in-time.ts'
import { lasted } from './judge-certificate.ts'
import { unreadable } from './papers.ts'
import { stepMs } from './reach.ts'

type Settings = Pick<Config, 'stateDirectory' | 'spoolMegabytes' | 'spoolDays' | 'intervalSeconds'>

const megabytes = (bytes: number): string =>
  bytes >= 1e9
    ? `${(bytes / 1e9).toFixed(1)} GB`
    : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`

/** Where samples wait for the hub: whether it can be written, has room, and what is in it. */
export async function examineState(settings: Settings, clock: Clock): Promise<Finding[]> {
  const folder = resolve(settings.stateDirectory)
  const hangs = `${folder} does not answer in ${stepMs / 1000} s: a network or failing disk`
  const late = [
    failed(
      'state folder',
      hangs,
      `dmesg -T | tail -50 may say why; stateDirectory can name another folder`,
    ),
    ...['disk space', 'spool'].map((check) => notChecked(check, 'the disk does not answer')),
  ]
  const looked = Promise.all([writable(folder), room(folder, settings)])
  const found = await inTime(looked, { ms: stepMs, late: undefined, clock })
  return found ? [...found, spool(folder, settings, clock.now())] : late
}

/** By writing: a full or read-only disk says so only then. The file is gone at once. */
async function writable(folder: string): Promise<Finding> {
  const check = 'state folder'
  const probe = join(folder, `.doctor-${process.pid}`)
  try {
    const file = await open(probe, 'wx', 0o600)
    try {
      await file.write(Buffer.alloc(4096, 1))
      await file.sync()
    } finally {
      await file.close()
      await rm(probe, { force: true })
    }
    return fine(check, `${folder} can be written`)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    switch (code) {
      case 'ENOSPC':
      case 'EDQUOT':
        return failed(
          check,
          `the disk of ${folder} is full (${code}): samples wait in memory and are lost when the agent stops`,
          `free space: df -h ${folder}; du -xh --max-depth=2 / 2>/dev/null | sort -h | tail -20\nthe agent goes on by itself when there is room`,
        )
      case 'EROFS':
        return failed(
          check,
          `the disk of ${folder} is mounted read-only`,
          `after an error of the disk the system does that: dmesg -T | grep -i 'error\\|remount'; to try: mount -o remount,rw $(findmnt -no TARGET -T ${folder})`,
        )
      case 'ENOENT':
        return notChecked(
          check,
          `${folder} is not there: no agent has run with these settings`,
          'the service makes it: systemctl start harbinger-agent',
        )
      case 'EACCES':
      case 'EPERM':
        return unreadable(
          check,
          join(folder, 'spool'),
          error as NodeJS.ErrnoException,
          `chown -R harbinger-agent: ${folder}`,
        )
      default:
        return failed(
          check,
          `${folder} cannot be written: ${message}`,
          `ls -ld ${folder}; df -h ${folder}`,
        )
    }
  }
}

async function room(folder: string, { spoolMegabytes }: Settings): Promise<Finding> {
  const check = 'disk space'
  const there = await firstThatExists(folder)
  const { bavail, bsize, files, ffree } = await statfs(there)
  const free = bavail * bsize
  const most = spoolMegabytes * 1e6
  if (files > 0 && ffree === 0) {
    return failed(
      check,
      `no file can be made on the disk of ${folder}: all ${files} inodes are used`,
      `find what made so many files: du -x --inodes --max-depth=3 / 2>/dev/null | sort -n | tail -20`,
    )
  }
  const found = `${megabytes(free)} are free for a spool of at most ${megabytes(most)}`
  if (free < 1e6) {
    return failed(
      check,
      found,
      `free space: df -h ${folder}; du -xh --max-depth=2 / 2>/dev/null | sort -h | tail -20`,
    )
  }
  return free < most
    ? warning(
        check,
        found,
        `a long outage of the hub would fill this disk: free space, or set spoolMegabytes to less than ${Math.max(1, Math.floor(free / 2e6))}`,
      )
    : fine(check, found)
}

async function firstThatExists(folder: string): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      await stat(path)
      return path
    } catch (error) {
      if (path === dirname(path)) throw error
    }
  }
}

function spool(folder: string, settings: Settings, now: number): Finding {
  const check = 'spool'
  try {
    const { waiting, oldestAt, bytes, dropped, damaged } = lookIntoSpool(folder)
    if (damaged[0] !== undefined) {
      return failed(
        check,
        `${damaged[0]} is damaged: what is in it is lost`,
        'the agent cuts it off at its next start; look at the disk: dmesg -T | tail -50',
      )
    }
    const gone = dropped === 0 ? 'none was ever dropped' : `${dropped} dropped since it began`
    const age = oldestAt === undefined ? 0 : now - oldestAt
    const since = oldestAt === undefined ? '' : `, the oldest of ${lasted(age)} ago`
    const wait = waiting === 1 ? '1 sample waits' : `${waiting} samples wait`
    const found = `${wait} for the hub${since}; ${megabytes(bytes)} on disk; ${gone}`
    const isNearEnd =
      age > 0.8 * settings.spoolDays * 86_400_000 || bytes > 0.9 * settings.spoolMegabytes * 1e6
    if (isNearEnd) {
      return failed(
        check,
        found,
        `the oldest are dropped soon (spoolDays ${settings.spoolDays}, spoolMegabytes ${settings.spoolMegabytes}): bring the connection to the hub back, or raise these for now`,
      )
    }
    // Two minutes are a hub that was restarted.
    return age > 120_000 + 3_000 * settings.intervalSeconds
      ? warning(check, found, 'the hub has not taken them: see "connection"; nothing is lost yet')
      : fine(check, found)
  } catch (error) {
    const failure = error as NodeJS.ErrnoException
    if (failure.code === 'ENOENT')
      return notChecked(check, 'there is none yet: no agent has run with these settings')
    return unreadable(check, join(folder, 'spool'), failure, `ls -l ${join(folder, 'spool')}`)
  }
}
