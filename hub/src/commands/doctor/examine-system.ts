import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { failed, type Finding, fine, notChecked, warning } from '@harbinger/shared/findings'
import { contractVersion, productVersion } from '@harbinger/shared/version'
import { asRoot, type Asked, type HubProcess, stepMs } from './asked.ts'

const unit = 'harbinger-hub.service'
const unitFolders = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system']
const log = 'journalctl -u harbinger-hub -n 30 --no-pager'

export function nodeVersion(): Finding {
  const check = 'node'
  return Number(process.versions.node.split('.')[0]) >= 24
    ? fine(check, process.version)
    : failed(
        check,
        `${process.version}; 24 is needed`,
        'start it as harbinger of the package, or run npm ci: both bring the Node that is needed',
      )
}

/** Whether the hub runs, as whom, and whether it is the version that this command is of. */
export function examineService({ hub, config }: Asked): Finding[] {
  return [
    serviceFinding(hub, config.dataFolder),
    ...contractFinding(hub),
    ...ownProblems(hub),
    ...loginFinding(hub),
  ]
}

function serviceFinding(hub: HubProcess, dataFolder: string): Finding {
  const check = 'service'
  const isInstalled = unitFolders.some((folder) => existsSync(`${folder}/${unit}`))
  switch (hub.state) {
    case 'hidden':
      return notChecked(check, `this user may not read ${hub.file}`, asRoot)
    case 'none':
      return isInstalled
        ? failed(
            check,
            `no hub runs with ${dataFolder}`,
            `systemctl enable --now harbinger-hub; if it does not stay up: ${log}`,
          )
        : warning(check, `no hub runs with ${dataFolder}`, 'start it: harbinger hub')
    case 'silent':
      return failed(
        check,
        `process ${hub.pid} is the hub and does not answer at ${hub.address} in ${stepMs / 1000} s`,
        `it is overloaded or hangs: ${log}; top -p ${hub.pid}; then: systemctl restart harbinger-hub (agents keep their samples meanwhile)`,
      )
    case 'answers': {
      const { pid, address, health } = hub
      const found = `running, pid ${pid}${userOf(pid)}, ${address}, servers: ${health.counters.servers ?? 0}, since ${health.startedAt}`
      return judgeFiles(check, pid, found, health.counters.servers ?? 0)
    }
  }
}

/** Every agent and every browser is an open file of the hub. */
function judgeFiles(check: string, pid: number, found: string, servers: number): Finding {
  const limits = attempt(() => readFileSync(`/proc/${pid}/limits`, 'utf8')) ?? ''
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity)
  return limit < servers * 1.2 + 300
    ? warning(
        check,
        `${found}; it may have ${limit} files open, and each agent is one`,
        `systemctl edit harbinger-hub, [Service], LimitNOFILE=65536; without systemd: ulimit -n 65536`,
      )
    : fine(check, found)
}

function userOf(pid: number): string {
  const uid = attempt(() => statSync(`/proc/${pid}`).uid)
  if (uid === undefined) return ''
  const name = attempt(
    () => new RegExp(`^([^:]+):[^:]*:${uid}:`, 'm').exec(readFileSync('/etc/passwd', 'utf8'))?.[1],
  )
  return `, as ${name ?? `user ${uid}`}`
}

function contractFinding(hub: HubProcess): Finding[] {
  const check = 'version'
  const own = `${productVersion}, contract ${contractVersion}`
  if (hub.state !== 'answers') return [fine(check, own)]
  const { version, contractVersion: theirs } = hub.health
  return version === productVersion && theirs === contractVersion
    ? [fine(check, `${own}, as the hub that runs`)]
    : [
        failed(
          check,
          `installed is ${own}, the hub that runs is ${version}, contract ${theirs}`,
          'it was not restarted after the upgrade: systemctl restart harbinger-hub',
        ),
      ]
}

/** What the hub says of itself, each as a finding. */
function ownProblems(hub: HubProcess): Finding[] {
  if (hub.state !== 'answers') return [notChecked('health', 'no hub answers')]
  const { status, problems, ingestLagMs, lastCycle } = hub.health
  if (problems.length === 0) {
    const cycle = lastCycle
      ? `, the last forecast at ${lastCycle.at} of ${lastCycle.forecast} servers`
      : ''
    const lag =
      ingestLagMs === null ? '' : `, samples are stored after ${Math.round(ingestLagMs)} ms`
    return [fine('health', `the hub says it is ${status}${cycle}${lag}`)]
  }
  return problems.map((problem) =>
    // Of these two nothing is stored any more; with the others the hub goes on.
    (/^(no agent is heard|storage fails)/.test(problem) ? failed : warning)(
      'health',
      `the hub says: ${problem}`,
      log,
    ),
  )
}

/** Beyond loopback a hub shows nothing but its set-up page until it has an admin. */
function loginFinding(hub: HubProcess): Finding[] {
  if (hub.state !== 'answers' || hub.health.login?.mode !== 'setup') return []
  return [
    warning(
      'login',
      'there is no admin yet: nobody sees anything but the set-up page',
      `harbinger user add NAME --role admin; or open ${hub.address}/set-up, and harbinger user set-up-secret`,
    ),
  ]
}

/** What is left for the hub: it needs 500 MB with 1,000 servers, a training as much again. */
export function examineMemory({ hub }: Asked): Finding {
  const check = 'memory'
  const total = totalmem()
  const available =
    1024 *
    Number(
      /^MemAvailable:\s+(\d+)/m.exec(
        attempt(() => readFileSync('/proc/meminfo', 'utf8')) ?? '',
      )?.[1] ?? NaN,
    )
  if (Number.isNaN(available))
    return notChecked(check, 'this system does not say how much is available')
  const group = attempt(() => Number(readFileSync('/sys/fs/cgroup/memory.max', 'utf8')))
  const limit =
    group !== undefined && group > 0 && group < total
      ? `, of which this group may use ${(group / 1e9).toFixed(1)} GB`
      : ''
  const found = `${(available / 1e9).toFixed(1)} of ${(total / 1e9).toFixed(1)} GB are available${limit}, ${availableParallelism()} processors`
  const isRunning = hub.state === 'answers' || hub.state === 'silent'
  const advice =
    'what uses it: ps -eo rss,user,args --sort=-rss | head; a hub of 1,000 servers needs 500 MB, a training as much again (training.everyDays: 0 turns that off)'
  if (available < (isRunning ? 100e6 : 300e6)) return failed(check, found, advice)
  return available < (isRunning ? 500e6 : 1e9) ? warning(check, found, advice) : fine(check, found)
}

const earliestSane = Date.UTC(2026, 0, 1)

/** Samples are placed by the clock, certificates are made by it. */
export async function examineClock({ now, database }: Asked): Promise<Finding[]> {
  const check = 'clock'
  const found = new Date(now).toISOString()
  const advice =
    'set it: timedatectl set-ntp true, or chronyc makestep. Then: systemctl restart harbinger-hub'
  const newest = database?.facts?.newest ?? null
  if (now < earliestSane) return [failed(check, `${found} is before Harbinger was written`, advice)]
  if (newest !== null && newest > now + 300_000) {
    return [
      failed(
        check,
        `${found} is before the newest sample came in (${new Date(newest).toISOString()}): the clock went back, or was ahead`,
        advice,
      ),
    ]
  }
  return [fine(check, found), await timeService()]
}

function timeService(): Promise<Finding> {
  const check = 'time service'
  return new Promise((resolve) => {
    execFile(
      'timedatectl',
      ['show', '-p', 'NTPSynchronized', '--value'],
      { timeout: 2_000, killSignal: 'SIGKILL' },
      (error, stdout) => {
        const said = stdout.trim()
        if (error || !/^(yes|no)$/.test(said)) {
          const why =
            (error as NodeJS.ErrnoException | null)?.code === 'ENOENT'
              ? 'there is no timedatectl here'
              : 'timedatectl does not answer (no systemd, a container)'
          return resolve(notChecked(check, `${why}; compare the clock with another one: date -u`))
        }
        resolve(
          said === 'yes'
            ? fine(check, 'the clock is kept right over the network')
            : warning(
                check,
                'nothing keeps the clock right',
                'timedatectl set-ntp true, or apt-get install chrony; samples of servers whose clocks part by 5 minutes are placed by when they arrive',
              ),
        )
      },
    )
  })
}

function attempt<Value>(find: () => Value): Value | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}
