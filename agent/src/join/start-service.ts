import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const unit = 'harbinger-agent.service'
const installed = {
  configFile: '/etc/harbinger/agent.yaml',
  unitFile: `/usr/lib/systemd/system/${unit}`,
  /** There when systemd runs this machine. */
  systemd: '/run/systemd/system',
}

export type Started = { readonly started: boolean; readonly problem?: string }

/** Starts the service of the package with what joining wrote, now and after a restart of the server. */
export function startService(configFile: string): Started {
  const isInstalled =
    process.getuid?.() === 0 &&
    resolve(configFile) === installed.configFile &&
    existsSync(installed.unitFile) &&
    existsSync(installed.systemd)
  if (!isInstalled) return { started: false }
  for (const verb of ['enable', 'restart']) {
    const { status, stderr, error } = spawnSync('systemctl', ['--quiet', verb, unit], {
      encoding: 'utf8',
    })
    if (status !== 0) {
      const said = error?.message ?? (stderr.trim() || `exit ${status}`)
      return { started: false, problem: `systemctl ${verb} ${unit}: ${said}` }
    }
  }
  return { started: true }
}
