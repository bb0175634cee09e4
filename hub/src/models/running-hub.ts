import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Answer, pinnedRequest } from './pinned-request.ts'

const fileOf = (dataFolder: string): string => join(dataFolder, 'hub.json')

/** Where a hub answers, and what a command that may read its data folder asks it with. */
export type RunningHub = {
  readonly address: string
  readonly secret: string
  /** With TLS the hub's certificate, which this machine need not trust otherwise. */
  readonly certificate?: string | undefined
  /** Where its own broker hears agents. */
  readonly mqttPort?: number | undefined
}

/**
 * Notes in the data folder where its hub answers; the command line goes through it. Whoever may read the note may read
 * all that the hub keeps, so it holds a secret of this run. Returns how to forget that.
 */
export function noteRunningHub(
  dataFolder: string,
  { address, secret, certificate, mqttPort }: RunningHub,
): () => void {
  if (dataFolder === ':memory:') return () => {}
  const file = fileOf(dataFolder)
  const note = { pid: process.pid, address, secret, certificate, mqttPort }
  // A file that is there keeps its mode when it is written again.
  rmSync(`${file}.new`, { force: true })
  writeFileSync(`${file}.new`, `${JSON.stringify(note)}\n`, { mode: 0o600 })
  // Renamed into place: written again while the hub runs, and never read half.
  renameSync(`${file}.new`, file)
  return () => rmSync(file, { force: true })
}

/** The hub that runs on a data folder; undefined when none does. */
export async function runningHub(dataFolder: string): Promise<RunningHub | undefined> {
  try {
    const { pid, address, secret, certificate } = JSON.parse(
      readFileSync(fileOf(dataFolder), 'utf8'),
    ) as RunningHub & { readonly pid: number }
    // Signal 0 only asks whether the process exists: a hub that was killed leaves its note behind.
    process.kill(pid, 0)
    const hub = { address, secret, certificate }
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
  { address, secret, certificate }: RunningHub,
  path: string,
  { timeoutMs, body }: { timeoutMs: number; body?: string },
): Promise<Answer> {
  const url = `${address}/api/v1${path}`
  const headers = {
    authorization: `Bearer ${secret}`,
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
  if (certificate !== undefined) {
    return pinnedRequest(url, {
      ...{ certificate, headers, timeoutMs },
      ...(body !== undefined && { body }),
    })
  }
  return fetch(url, {
    ...(body !== undefined && { method: 'POST', body }),
    headers,
    signal: AbortSignal.timeout(timeoutMs),
  })
}
