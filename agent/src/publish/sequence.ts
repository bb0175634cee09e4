import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { isGone } from '../sample/procfs.ts'
import { syncFolderNow } from './sync-folder.ts'

export type Sequence = ReturnType<typeof openSequence>

/** How many numbers one write to the disk pays for: at 10 s, one write in three hours. */
const blockSize = 1_000

type Options = {
  readonly now: () => number
  readonly onUnsafe: (reason: string) => void
  /** The number of the newest sample in the spool: the numbering goes on behind it whatever the file says. */
  readonly lastSpooled?: number | undefined
}

/**
 * Numbers samples, one more each time, across restarts. The file holds the first number not reserved yet: a whole
 * block is reserved by one write and counted in memory, and a clean stop gives the rest back. After a crash the
 * numbering goes on behind the block, so up to 999 numbers are never used; none is used twice.
 *
 * Without a file the numbering starts at the seconds since 1970. The hub keeps a (server, seq) once, so a server
 * that lost its disk must not start at 1 again: its new samples would be taken for old ones.
 */
export function openSequence(stateDirectory: string, { now, onUnsafe, lastSpooled }: Options) {
  const file = join(stateDirectory, 'seq')
  let next = firstNumber(file, { now, onUnsafe, lastSpooled })
  let reserved = next

  function reserve(upTo: number) {
    reserved = upTo
    try {
      mkdirSync(stateDirectory, { recursive: true })
      replaceFile(file, `${upTo}\n`)
    } catch (error) {
      onUnsafe(`${file} cannot be written (${(error as Error).message})`)
    }
  }

  return {
    next(): number {
      if (next >= reserved) reserve(next + blockSize)
      return next++
    },
    /** The number that the next sample will have. */
    peek: () => next,
    close: () => {
      if (reserved !== next) reserve(next)
    },
  }
}

function firstNumber(file: string, { now, onUnsafe, lastSpooled = -1 }: Options): number {
  // Without the file it is unknown how many numbers of the last block were used and never came to the spool.
  const fromClock = Math.max(Math.floor(now() / 1000), lastSpooled + 1 + blockSize)
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (!isGone(error)) onUnsafe(`${file} cannot be read (${(error as Error).message})`)
    return fromClock
  }
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number + blockSize)) {
    return Math.max(number, lastSpooled + 1)
  }
  onUnsafe(`${file}: expected a number, got ${JSON.stringify(text.slice(0, 40))}`)
  return fromClock
}

/** After a power failure the file is the old one or the new one, never half of it. */
export function replaceFile(path: string, content: string): void {
  const file = openSync(`${path}.new`, 'w', 0o644)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
  syncFolderNow(dirname(path))
}
