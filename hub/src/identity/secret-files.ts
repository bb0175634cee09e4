import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** Where the keys of a hub lie; undefined when it keeps nothing. */
export const keysFolder = (dataFolder: string): string | undefined =>
  dataFolder === ':memory:' ? undefined : join(dataFolder, 'tls')

/** Writes a file that only the hub's user may read; after a power failure it is the old one or the new one. */
export function writeSecret(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  rmSync(`${path}.new`, { force: true })
  // "wx": never through a link that somebody left there. The mode is right from the first byte on.
  const file = openSync(`${path}.new`, 'wx', 0o600)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
}

/** Reads a private key. Throws when others than its owner may read it, as ssh does. */
export function readSecret(path: string): string {
  const { mode } = statSync(path)
  if (process.platform !== 'win32' && (mode & 0o007) !== 0) {
    throw new Error(
      `${path} holds a private key and everybody may read it (mode ${(mode & 0o777).toString(8)}): chmod 600 ${path}`,
    )
  }
  return readFileSync(path, 'utf8')
}

/** Undefined when there is no such file. */
export const readIfThere = (path: string): string | undefined =>
  existsSync(path) ? readFileSync(path, 'utf8') : undefined

/** For what everybody may know, as the certificate of the authority. */
export function writePublic(path: string, content: string): void {
  writeSecret(path, content)
  chmodSync(path, 0o644)
}
