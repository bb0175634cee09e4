import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const fileOf = (dataFolder: string): string => join(dataFolder, 'hub.json')

/** Notes in the data folder where its hub answers; the command line goes through it. Returns how to forget that. */
export function noteRunningHub(dataFolder: string, address: string): () => void {
  if (dataFolder === ':memory:') return () => {}
  const note = { pid: process.pid, address }
  writeFileSync(fileOf(dataFolder), `${JSON.stringify(note)}\n`)
  return () => rmSync(fileOf(dataFolder), { force: true })
}

/** The address of the hub that runs on a data folder; undefined when none does. */
export async function runningHub(dataFolder: string): Promise<string | undefined> {
  try {
    const { pid, address } = JSON.parse(readFileSync(fileOf(dataFolder), 'utf8')) as {
      pid: number
      address: string
    }
    // Signal 0 only asks whether the process exists: a hub that was killed leaves its note behind.
    process.kill(pid, 0)
    const answer = await fetch(`${address}/api/v1/health`, { signal: AbortSignal.timeout(5000) })
    return answer.ok ? address : undefined
  } catch {
    return undefined
  }
}

/** Asks a running hub. Throws its own words when it refuses. */
export async function askHub<Answer>(
  address: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const answer = await fetch(`${address}/api/v1${path}`, {
    ...(body && {
      ...{ method: 'POST', body: JSON.stringify(body) },
      headers: { 'content-type': 'application/json' },
    }),
    signal: AbortSignal.timeout(120_000),
  })
  const found = (await answer.json()) as Answer & { error?: { message: string } }
  if (answer.ok) return found
  throw new Error(found.error?.message ?? `the hub at ${address} answered ${answer.status}`)
}
