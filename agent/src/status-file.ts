import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a running agent leaves for `harbinger-agent status` to read. */
export type AgentStatus = {
  readonly state: 'running' | 'stopped'
  readonly pid: number
  readonly server: string
  readonly hub: string
  readonly startedAt: number
  readonly at: number
  /** Between two samples now. */
  readonly intervalSeconds: number
  /** What the agent's own configuration says. */
  readonly ownIntervalSeconds: number
  readonly intervalFrom: 'own' | 'hub'
  readonly connected: boolean
  /** Why the last try to connect failed; null while there is a connection. */
  readonly lastFailure: { readonly reason: string; readonly at: number } | null
  readonly lastAck: { readonly upTo: number; readonly at: number } | null
  readonly spool: {
    readonly samples: number
    readonly bytes: number
    readonly dropped: number
    /** Why samples are kept in memory alone; null while the disk takes them. */
    readonly problem: string | null
  }
  readonly cost: { readonly rssBytes: number; readonly cpuSeconds: number }
}

/** The disk is written to once a minute, not once a sample. */
const keepEveryMs = 60_000

const pathIn = (stateDirectory: string) => join(stateDirectory, 'status.json')

export function openStatusFile(
  stateDirectory: string,
  { onFailure }: { readonly onFailure: (reason: string) => void },
) {
  let keptAt = -Infinity
  let hasFailed = false
  let wasConnected: boolean | undefined
  let problem: string | null | undefined
  let failure: string | undefined
  let interval: string | undefined

  const intervalOf = ({ intervalSeconds, intervalFrom }: AgentStatus): string =>
    `${intervalSeconds} ${intervalFrom}`

  function write(status: AgentStatus) {
    keptAt = status.at
    wasConnected = status.connected
    problem = status.spool.problem
    interval = intervalOf(status)
    failure = status.lastFailure?.reason
    try {
      mkdirSync(stateDirectory, { recursive: true })
      const path = pathIn(stateDirectory)
      writeFileSync(`${path}.new`, JSON.stringify(status))
      renameSync(`${path}.new`, path)
    } catch (error) {
      if (!hasFailed) onFailure((error as Error).message)
      hasFailed = true
    }
  }

  return {
    keep(status: AgentStatus) {
      const isDue = Math.abs(status.at - keptAt) >= keepEveryMs
      const isNews =
        status.connected !== wasConnected ||
        status.spool.problem !== problem ||
        status.lastFailure?.reason !== failure ||
        intervalOf(status) !== interval
      if (isDue || isNews) write(status)
    },
    close: write,
  }
}

/** Undefined when no agent ever ran with this state directory. */
export function readStatusFile(stateDirectory: string): AgentStatus | undefined {
  try {
    return JSON.parse(readFileSync(pathIn(stateDirectory), 'utf8')) as AgentStatus
  } catch {
    return undefined
  }
}
