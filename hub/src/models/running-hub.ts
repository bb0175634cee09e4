import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Answer, pinnedRequest } from './pinned-request.ts'

const fileOf = (dataFolder: string): string => join(dataFolder, 'hub.json')

/** Where a hub answers; with TLS also its certificate, which this machine need not trust otherwise. */
export type RunningHub = { readonly address: string; readonly certificate?: string | undefined }

/** Notes in the data folder where its hub answers; the command line goes through it. Returns how to forget that. */
export function noteRunningHub(
  dataFolder: string,
  { address, certificate }: RunningHub,
): () => void {
  if (dataFolder === ':memory:') return () => {}
  const note = { pid: process.pid, address, certificate }
  // Renamed into place: written again while the hub runs, and never read half.
  writeFileSync(`${fileOf(dataFolder)}.new`, `${JSON.stringify(note)}\n`)
  renameSync(`${fileOf(dataFolder)}.new`, fileOf(dataFolder))
  return () => rmSync(fileOf(dataFolder), { force: true })
}

/** The hub that runs on a data folder; undefined when none does. */
export async function runningHub(dataFolder: string): Promise<RunningHub | undefined> {
  try {
    const { pid, address, certificate } = JSON.parse(
      readFileSync(fileOf(dataFolder), 'utf8'),
    ) as RunningHub & { pid: number }
    // Signal 0 only asks whether the process exists: a hub that was killed leaves its note behind.
    process.kill(pid, 0)
    const hub = { address, certificate }
    const answer = await request(hub, '/health', { timeoutMs: 5000 })
    return answer.ok ? hub : undefined
  } catch {
    return undefined
  }
}

/** Asks a running hub. Throws its own words when it refuses. */
export async function askHub<Found>(hub: RunningHub, path: string, body?: object): Promise<Found> {
  const answer = await request(hub, path, {
    timeoutMs: 120_000,
    ...(body && { body: JSON.stringify(body) }),
  })
  const found = (await answer.json()) as Found & { error?: { message: string } }
  if (answer.ok) return found
  throw new Error(found.error?.message ?? `the hub at ${hub.address} answered ${answer.status}`)
}

function request(
  { address, certificate }: RunningHub,
  path: string,
  { timeoutMs, body }: { timeoutMs: number; body?: string },
): Promise<Answer> {
  const url = `${address}/api/v1${path}`
  if (certificate !== undefined) {
    return pinnedRequest(url, { certificate, timeoutMs, ...(body !== undefined && { body }) })
  }
  return fetch(url, {
    ...(body !== undefined && {
      ...{ method: 'POST', body },
      headers: { 'content-type': 'application/json' },
    }),
    signal: AbortSignal.timeout(timeoutMs),
  })
}
