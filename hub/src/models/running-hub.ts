import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const fileOf = (dataFolder: string): string => join(dataFolder, 'hub.json')

/** A hub that runs, and what a command that may read its data folder asks it with. */
export type RunningHub = { readonly address: string; readonly secret: string }

/**
 * Notes in the data folder where its hub answers; the command line goes through it. Whoever may read the note may read
 * all that the hub keeps, so it holds a secret of this run. Returns how to forget that.
 */
export function noteRunningHub(dataFolder: string, { address, secret }: RunningHub): () => void {
  if (dataFolder === ':memory:') return () => {}
  const note = { pid: process.pid, address, secret }
  // A file that is there keeps its mode when it is written again.
  rmSync(fileOf(dataFolder), { force: true })
  writeFileSync(fileOf(dataFolder), `${JSON.stringify(note)}\n`, { mode: 0o600 })
  return () => rmSync(fileOf(dataFolder), { force: true })
}

/** The hub that runs on a data folder; undefined when none does. */
export async function runningHub(dataFolder: string): Promise<RunningHub | undefined> {
  try {
    const note = JSON.parse(readFileSync(fileOf(dataFolder), 'utf8')) as RunningHub & {
      readonly pid: number
    }
    const { pid, address, secret } = note
    // Signal 0 only asks whether the process exists: a hub that was killed leaves its note behind.
    process.kill(pid, 0)
    const answer = await fetch(`${address}/api/v1/health`, { signal: AbortSignal.timeout(5000) })
    return answer.ok ? { address, secret } : undefined
  } catch {
    return undefined
  }
}

/** Asks a running hub. Throws its own words when it refuses. */
export async function askHub<Answer>(
  { address, secret }: RunningHub,
  path: string,
  body?: object,
): Promise<Answer> {
  const answer = await fetch(`${address}/api/v1${path}`, {
    ...(body && {
      ...{ method: 'POST', body: JSON.stringify(body) },
    }),
    headers: {
      authorization: `Bearer ${secret}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    signal: AbortSignal.timeout(120_000),
  })
  const found = (await answer.json()) as Answer & { error?: { message: string } }
  if (answer.ok) return found
  throw new Error(found.error?.message ?? `the hub at ${address} answered ${answer.status}`)
}
