import {
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/**
 * Writes a file in one step, owned by whoever owns its folder: root joins, and the agent, another user, reads and
 * renews what root wrote. Key and certificate lie in one file, so that they change together.
 */
export function writeCredential(path: string, content: string, mode = 0o600): void {
  const folder = dirname(path)
  makeFolder(folder)
  rmSync(`${path}.new`, { force: true })
  const file = openSync(`${path}.new`, 'wx', mode)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  giveTo(folder, `${path}.new`)
  renameSync(`${path}.new`, path)
}

function makeFolder(folder: string): void {
  try {
    statSync(folder)
  } catch {
    mkdirSync(dirname(folder), { recursive: true })
    mkdirSync(folder, { mode: 0o700 })
    giveTo(dirname(folder), folder)
  }
}

/** Only root may give files away, and only root has to. */
function giveTo(folder: string, path: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(folder)
  chownSync(path, uid, gid)
}

/** Undefined when there is no such file. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The private key of a file that holds key and certificate. Throws when it holds none. */
export function keyIn(pem: string, path: string): string {
  const [key] = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----/.exec(pem) ?? []
  if (key === undefined) throw new Error(`${path} holds no private key: join again`)
  return `${key}\n`
}
