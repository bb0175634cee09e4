import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeCredential } from './credential-files.ts'

/** How the last try to join ended, for the doctor to explain; the token is in none of it. */
export type LastJoin = { readonly at: number; readonly hub: string; readonly said: string }

const fileIn = (stateDirectory: string): string => join(stateDirectory, 'last-join.json')

export function keepLastJoin(stateDirectory: string, last: LastJoin): void {
  try {
    writeCredential(fileIn(stateDirectory), JSON.stringify(last), 0o644)
  } catch {
    // Whoever joins is told on the screen; this is for those who ask later.
  }
}

export const forgetLastJoin = (stateDirectory: string): void =>
  rmSync(fileIn(stateDirectory), { force: true })

/** Undefined when nobody has tried, or since it was successful. */
export function readLastJoin(stateDirectory: string): LastJoin | undefined {
  try {
    const { at, hub, said } = JSON.parse(readFileSync(fileIn(stateDirectory), 'utf8')) as LastJoin
    return typeof at === 'number' && typeof said === 'string' ? { at, hub, said } : undefined
  } catch {
    return undefined
  }
}
