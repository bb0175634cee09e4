import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSame } from './secrets.ts'

export type SetUpSecret = ReturnType<typeof setUpSecret>

/** 120 bits in groups that can be read from one screen and typed at another. */
const newCode = (): string =>
  [...randomBytes(24)]
    .map((byte) => '23456789abcdefghjkmnpqrstuvwxyz0'[byte & 31]!)
    .join('')
    .replaceAll(/(.{4})(?=.)/g, '$1-')

/**
 * What whoever makes the first admin must know: only people who may read the data folder do. In a file of mode 0600,
 * so that a command can show it again; the file goes when it is used.
 */
export function setUpSecret(dataFolder: string) {
  const file = dataFolder === ':memory:' ? undefined : join(dataFolder, 'set-up-secret')
  let inMemory: string | undefined

  function read(): string | undefined {
    if (!file) return inMemory
    return existsSync(file) ? readFileSync(file, 'utf8').trim() || undefined : undefined
  }

  function make(): string {
    const made = newCode()
    if (!file) return (inMemory = made)
    try {
      writeFileSync(file, `${made}\n`, { mode: 0o600, flag: 'wx' })
      return made
    } catch (error) {
      // The hub and a command at the same moment: the one written first holds.
      const theirs = (error as NodeJS.ErrnoException).code === 'EEXIST' ? read() : undefined
      if (theirs === undefined) throw error
      return theirs
    }
  }

  return {
    get: (): string => read() ?? make(),
    is: (given: string): boolean => {
      const known = read()
      return known !== undefined && isSame(given.trim().toLowerCase(), known)
    },
    forget(): void {
      inMemory = undefined
      if (file) rmSync(file, { force: true })
    },
  }
}
