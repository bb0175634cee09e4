import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { failed, type Finding, fine, notChecked, warning } from '@harbinger/shared/findings'
import { type DatabaseLook, knownFormat } from '../../storage/look-at-database.ts'
import { databaseFile } from '../../storage/stores.ts'
import { asRoot, type Asked } from './asked.ts'

const dayMs = 86_400_000
const enough = 2e9
/** Below it the next hour is in doubt, whatever the past was like. */
const hardlyAny = 200e6

const size = (bytes: number): string =>
  bytes >= 1e9
    ? `${(bytes / 1e9).toFixed(1)} GB`
    : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`

/** The folder that holds all the hub knows: whether it can be written, has room, and is whole. */
export function examineData(asked: Asked): Finding[] {
  const folder = resolve(asked.config.dataFolder)
  return [
    dataFolder(folder),
    diskSpace(folder, asked),
    databaseFinding(folder, asked.database, asked.isFull),
  ]
}

/** By writing: a full or read-only disk says so only then. The file is gone at once. */
function dataFolder(folder: string): Finding {
  const check = 'data folder'
  const probe = join(folder, `.doctor-${process.pid}`)
  try {
    const file = openSync(probe, 'wx', 0o600)
    try {
      writeSync(file, Buffer.alloc(4096, 1))
      fsyncSync(file)
    } finally {
      closeSync(file)
      rmSync(probe, { force: true })
    }
  } catch (error) {
    return explain(check, folder, error as NodeJS.ErrnoException)
  }
  const strangers = othersIn(folder)
  return strangers.length === 0
    ? fine(check, folder)
    : failed(
        check,
        `${strangers.join(', ')} in ${folder} ${strangers.length === 1 ? 'belongs' : 'belong'} to another user than the folder: the hub may not write there`,
        `chown -R --reference=${folder} ${folder}`,
      )
}

function explain(check: string, folder: string, { code, message }: NodeJS.ErrnoException): Finding {
  switch (code) {
    case 'ENOENT':
      return warning(
        check,
        `${folder} is not there yet`,
        'the hub makes it when it starts: systemctl start harbinger-hub',
      )
    case 'ENOSPC':
    case 'EDQUOT':
      return failed(
        check,
        `the disk of ${folder} is full (${code}): nothing is stored, agents keep their samples`,
        `free space: df -h ${folder}; du -xh --max-depth=2 ${folder} | sort -h | tail -20\nless to keep: retention.rawDays, retention.minuteDays, retention.quarterDays. The hub goes on by itself when there is room`,
      )
    case 'EROFS':
      return failed(
        check,
        `the disk of ${folder} is mounted read-only`,
        `after an error of the disk the system does that: dmesg -T | grep -i 'error\\|remount'; to try: mount -o remount,rw $(findmnt -no TARGET -T ${folder})`,
      )
    case 'EACCES':
    case 'EPERM':
      return isOfAnother(folder)
        ? notChecked(check, `this user may not write in ${folder}`, asRoot)
        : failed(check, `${folder} may not be written: ${message}`, `chown -R harbinger: ${folder}`)
    default:
      return failed(
        check,
        `${folder} cannot be written: ${message}`,
        `ls -ld ${folder}; df -h ${folder}`,
      )
  }
}

function isOfAnother(folder: string): boolean {
  try {
    return statSync(folder).uid !== process.getuid?.()
  } catch {
    return true
  }
}

/** Left by a command that somebody ran as root, say. */
function othersIn(folder: string): string[] {
  const { uid } = statSync(folder)
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const inner = entry.isDirectory() ? readable(join(folder, entry.name)) : []
      return [entry.name, ...inner.map((name) => join(entry.name, name))]
    })
    .filter((name) => {
      try {
        return statSync(join(folder, name)).uid !== uid
      } catch {
        return false
      }
    })
    .slice(0, 5)
}

function readable(folder: string): string[] {
  try {
    return readdirSync(folder).slice(0, 1_000)
  } catch {
    return []
  }
}

function diskSpace(folder: string, { database, now }: Asked): Finding {
  const check = 'disk space'
  const { bavail, bsize, files, ffree } = statfsSync(firstThatExists(folder))
  const free = bavail * bsize
  if (files > 0 && ffree === 0) {
    return failed(
      check,
      `no file can be made on the disk of ${folder}: all ${files} inodes are used`,
      'find what made so many files: du -x --inodes --max-depth=3 / 2>/dev/null | sort -n | tail -20',
    )
  }
  const growth = growthOf(folder, database, now)
  const days = growth === undefined ? undefined : free / growth.bytesPerDay
  const found = [
    `${size(free)} free`,
    ...(growth
      ? [
          `the database has ${size(growth.bytes)} after ${growth.days.toFixed(1)} days, ${size(growth.bytesPerDay)} a day on average: enough for ${days! > 3_650 ? 'more than 10 years' : `${Math.floor(days!)} days`} at that pace`,
        ]
      : ['how fast it fills is known after a day of samples']),
  ].join('; ')
  const advice = `free space: df -h ${folder}; or keep less: retention.quarterDays (man harbinger-hub.yaml). Old data make room for new ones, so the pace slows down`
  if (free < hardlyAny || (days !== undefined && days < 1)) return failed(check, found, advice)
  return free < enough || (days !== undefined && days < 14)
    ? warning(check, found, advice)
    : fine(check, found)
}

/** Measured on what is there. */
function growthOf(folder: string, database: DatabaseLook | undefined, now: number) {
  const since = database?.facts?.since
  if (since === undefined || since === null || now - since < dayMs) return undefined
  const file = databaseFile(folder)
  const bytes = [file, `${file}-wal`].reduce((sum, path) => {
    try {
      return sum + statSync(path).size
    } catch {
      return sum
    }
  }, 0)
  const days = (now - since) / dayMs
  return { bytes, days, bytesPerDay: Math.max(1, bytes / days) }
}

function firstThatExists(folder: string): string {
  for (let path = folder; ; path = dirname(path)) {
    try {
      statSync(path)
      return path
    } catch (error) {
      if (path === dirname(path)) throw error
    }
  }
}

function databaseFinding(folder: string, look: DatabaseLook | undefined, isFull: boolean): Finding {
  const check = 'database'
  const file = databaseFile(folder)
  if (!look) return notChecked(check, `there is none in ${folder}: no hub has run with it`)
  const { facts, whole, problem, isComplete } = look
  if (problem !== undefined) {
    if (/unable to open|readonly|SQLITE_CANTOPEN|EACCES|permission/i.test(problem)) {
      return notChecked(check, `this user may not read ${file} (${problem})`, asRoot)
    }
    return failed(
      check,
      `${file}: ${problem.split('\n').slice(0, 3).join('; ')}`,
      `it is damaged. Look at the disk first (dmesg -T | tail -50, smartctl -a /dev/DISK), then: systemctl stop harbinger-hub, keep a copy of ${folder}, and put the last back-up of the folder in its place (docs/operate.md). Without one: sqlite3 ${file} .recover | sqlite3 ${file}.new`,
    )
  }
  if (!facts)
    return notChecked(
      check,
      'it did not answer in time: the disk is slow, or the machine busy',
      'harbinger doctor --full waits for it',
    )
  if (facts.format > knownFormat) {
    return failed(
      check,
      `it has format ${facts.format}, this version knows ${knownFormat}: a newer Harbinger wrote it`,
      'install that version again, or put the back-up of before the upgrade in its place',
    )
  }
  const found = `servers: ${facts.servers}, format ${facts.format}${facts.format < knownFormat ? ` (the hub makes ${knownFormat} of it when it starts)` : ''}`
  return isComplete
    ? fine(check, `${found}; all ${facts.tables} tables are whole`)
    : notChecked(
        check,
        `it is large: ${whole} of ${facts.tables} tables were looked at in the time there is, and are whole; ${found}`,
        isFull ? '' : 'harbinger doctor --full looks at all of it',
      )
}
