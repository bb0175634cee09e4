import { existsSync, readFileSync, statSync } from 'node:fs'
import { failed, type Finding, fine, notChecked, warning } from '@harbinger/shared/findings'
import type { Config } from '../config.ts'
import { agentReport, type Report } from '../commands/status.ts'
import { lasted } from './judge-certificate.ts'
import { userName } from './papers.ts'
import { withoutSecrets } from './without-secrets.ts'

const unit = 'harbinger-agent.service'
const unitFolders = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system']
/** Where systemd shows the processes of a unit: by files, so that nothing has to be run to ask. */
const groups = ['/sys/fs/cgroup', '/sys/fs/cgroup/systemd'].map(
  (at) => `${at}/system.slice/${unit}/cgroup.procs`,
)

const log = 'journalctl -u harbinger-agent -n 30 --no-pager'

/** Whether the agent of this server runs, as whom, and what it last said of its connection. */
export function examineService(
  config: Pick<Config, 'stateDirectory' | 'statusDirectory' | 'hub' | 'intervalSeconds'>,
  now: number,
): Finding[] {
  const report = agentReport(config)
  const pid = report.running ? report.status!.pid : unitProcess()
  const service = judgeService(pid)
  return [service, judgeConnection(report, { now, hub: config.hub, isRunning: pid !== undefined })]
}

function unitProcess(): number | undefined {
  for (const file of groups) {
    const first = attempt(() => readFileSync(file, 'utf8').trim().split('\n')[0])
    if (first) return Number(first)
  }
  return undefined
}

function judgeService(pid: number | undefined): Finding {
  const check = 'service'
  const isInstalled = unitFolders.some((folder) => existsSync(`${folder}/${unit}`))
  if (pid === undefined) {
    const found = 'no agent runs with these settings'
    return isInstalled
      ? failed(
          check,
          found,
          `systemctl enable --now harbinger-agent; if it does not stay up: ${log}`,
        )
      : warning(check, found, 'start it: harbinger-agent run')
  }
  const uid = attempt(() => statSync(`/proc/${pid}`).uid)
  const user = userName(uid) ?? (uid === undefined ? 'a user that cannot be seen' : `user ${uid}`)
  const isUnit = attempt(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.includes(unit) === true
  const found = `running, pid ${pid}, as ${user}${isUnit ? `, by ${unit}` : ''}`
  return uid === 0 && isUnit
    ? warning(
        check,
        `${found}: it needs no root`,
        'systemctl cat harbinger-agent shows which User= replaces that of the package',
      )
    : fine(check, found)
}

function judgeConnection(
  { status, running }: Report,
  { now, hub, isRunning }: { now: number; hub: string; isRunning: boolean },
): Finding {
  const check = 'connection'
  if (!isRunning) return notChecked(check, 'no agent runs')
  if (!status || !running)
    return notChecked(check, 'the agent that runs keeps its status elsewhere (statusDirectory)')
  const age = now - status.at
  if (status.hub !== hub) {
    return failed(
      check,
      `the agent that runs speaks to ${withoutSecrets(status.hub)}, the settings say ${withoutSecrets(hub)}`,
      'systemctl restart harbinger-agent',
    )
  }
  if (Math.abs(age) > 180_000 + 2_000 * status.intervalSeconds) {
    return failed(
      check,
      `the agent that runs last said something of itself ${lasted(age)} ago`,
      `it hangs, or cannot write its status file: ${log}; systemctl restart harbinger-agent`,
    )
  }
  const { lastAck, lastFailure } = status
  if (!status.connected) {
    return failed(
      check,
      lastFailure
        ? `the agent is not connected; its last try, at ${new Date(lastFailure.at).toISOString()}, ended with: ${lastFailure.reason}`
        : 'the agent is not connected',
      adviceOn(lastFailure?.reason ?? ''),
    )
  }
  const ack = lastAck
    ? `, the hub took sample ${lastAck.upTo} at ${new Date(lastAck.at).toISOString()}`
    : ''
  const isTaken =
    lastAck !== null && status.at - lastAck.at < 120_000 + 3_000 * status.intervalSeconds
  if (!isTaken && status.at - status.startedAt > 120_000 + 3_000 * status.intervalSeconds) {
    return failed(
      check,
      `connected, and the hub acknowledges nothing${ack || ': it never did'}`,
      'the samples are kept. Is a hub there, and not a broker alone? On the hub: harbinger doctor; with an external broker: its rights for the topics ack (docs/external-broker.md)',
    )
  }
  return fine(check, `connected${ack}`)
}

/** In the words of the MQTT client, of TLS, or of the system. */
function adviceOn(reason: string): string {
  if (/Not authorized|certificate required|certificate_required|ALERT|unknown ca/i.test(reason)) {
    return 'the hub does not take this certificate: "enrolment" says why. If it was revoked on purpose, nothing is to be done'
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return 'see "hub name"'
  if (/ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|connack timeout/.test(reason))
    return 'see "hub port"'
  return `see the checks of the hub below, and ${log}`
}

function attempt<Value>(find: () => Value): Value | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}
