import type { Config } from '../config.ts'
import { type AgentStatus, readStatusFile } from '../status-file.ts'

export type Report = { readonly running: boolean; readonly status: AgentStatus | undefined }

type Where = Pick<Config, 'stateDirectory'> & Partial<Pick<Config, 'statusDirectory'>>

/** What the agent of this machine last said about itself, and whether it is alive. */
export function agentReport({ stateDirectory, statusDirectory }: Where): Report {
  const status = readStatusFile(statusDirectory ?? stateDirectory)
  return { running: status?.state === 'running' && isAlive(status.pid), status }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // It runs, as another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Where the interval comes from. */
function whose({ intervalFrom, ownIntervalSeconds }: AgentStatus): string {
  return intervalFrom === 'hub'
    ? `asked for by the hub (own configuration: ${ownIntervalSeconds} s)`
    : 'from its own configuration'
}

/** The report as lines for a person. */
export function reportText({ running, status }: Report, stateDirectory: string): string {
  if (!status) return `not running: ${stateDirectory} holds no status of an agent`
  const { pid, server, hub, startedAt, at, connected, lastAck, lastFailure, spool, cost } = status
  const seconds = Math.max(1, (at - startedAt) / 1000)
  return [
    running ? `running, pid ${pid}` : 'not running',
    `server     ${server}`,
    `hub        ${hub} (${running && connected ? 'connected' : 'not connected'})`,
    ...(running && !connected && lastFailure ? [`           ${lastFailure.reason}`] : []),
    `interval   ${status.intervalSeconds} s, ${whose(status)}`,
    `last ack   ${lastAck ? `${lastAck.upTo} at ${new Date(lastAck.at).toISOString()}` : 'none'}`,
    `spool      ${spool.samples} samples wait for the hub, ${(spool.bytes / 1e6).toFixed(1)} MB on disk, ${spool.dropped} dropped`,
    ...(spool.problem === null ? [] : [`           in memory only: ${spool.problem}`]),
    `own cost   ${(cost.rssBytes / 1e6).toFixed(1)} MB RSS, ${((100 * cost.cpuSeconds) / seconds).toFixed(3)} % of a core since the start`,
    `as of      ${new Date(at).toISOString()}`,
  ].join('\n')
}
