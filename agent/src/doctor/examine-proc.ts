import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { failed, type Finding, fine, warning } from '@harbinger/shared/findings'
import { openMachine } from '../agent.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { silentLog } from '../log.ts'
import { userName } from './papers.ts'

/** What the collectors read, and what a server is without. */
const files: { readonly [path: string]: string } = {
  stat: 'CPU',
  meminfo: 'memory and swap',
  loadavg: 'load',
  uptime: 'uptime',
  'net/dev': 'network traffic',
  'net/tcp': 'sockets in CLOSE_WAIT',
  'self/mountinfo': 'file systems',
}

/** Everything a sample is made of: the files of the kernel, and then the readings themselves. */
export async function examineProc(config: Config, clock: Clock): Promise<Finding[]> {
  if (process.platform !== 'linux') return examineReadings(config, clock)
  return [
    procFiles(config.procRoot),
    hiddenProcesses(config.procRoot),
    ...(await examineReadings(config, clock)),
  ]
}

function procFiles(root: string): Finding {
  const check = 'proc'
  const problems = Object.entries(files).flatMap(([path, what]) => {
    const code = readProblem(join(root, path))
    return code === undefined ? [] : [{ code, text: `${join(root, path)}: ${code}, no ${what}` }]
  })
  if (problems.length === 0)
    return fine(check, `all ${Object.keys(files).length} files below ${root} can be read`)
  const found = problems.map(({ text }) => text).join('\n')
  if (
    problems.every(({ code }) => code === 'ENOENT') &&
    problems.length === Object.keys(files).length
  ) {
    return failed(
      check,
      `${root} holds no proc file system`,
      root === '/proc'
        ? 'mount -t proc proc /proc'
        : `procRoot says ${root}: in a container, mount the server's there (docker run -v /proc:${root}:ro)`,
    )
  }
  return failed(
    check,
    found,
    problems.some(({ code }) => code === 'EACCES' || code === 'EPERM')
      ? `let the agent's user read them: namei -l ${root}/stat shows where it ends; a unit with ProcSubset=pid hides them: systemctl cat harbinger-agent | grep -i proc`
      : `readings of what is missing stay absent; the others are sent`,
  )
}

function readProblem(path: string): string | undefined {
  try {
    const file = openSync(path, 'r')
    try {
      return readSync(file, Buffer.alloc(16), 0, 16, null) === 0 ? 'empty' : undefined
    } finally {
      closeSync(file)
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message
  }
}

/** proc(5): mounted with hidepid, /proc shows a user its own processes alone. */
function hiddenProcesses(root: string): Finding {
  const check = 'processes'
  const code = readProblem(join(root, '1/stat'))
  if (code === undefined) return fine(check, 'those of all users are seen')
  const option = attempt(() => hidepidOf(readFileSync(join(root, 'self/mountinfo'), 'utf8'), root))
  const me = userName(process.getuid?.()) ?? 'the agent'
  return warning(
    check,
    option === undefined
      ? `process 1 is not seen (${code}): the CPU time of other users' Java programs is not sent`
      : `${root} is mounted with hidepid=${option}: the CPU time of other users' Java programs is not sent`,
    option === undefined
      ? 'a unit with ProtectProc=invisible does that: systemctl cat harbinger-agent | grep ProtectProc'
      : `let the agent see them: mount -o remount,hidepid=${option},gid=$(getent group ${me} | cut -d: -f3) ${root}, and the same options in /etc/fstab; or leave it so, the other readings are sent`,
  )
}

/** The option of the mount that is seen at `root`; undefined when it hides nothing. */
export function hidepidOf(mountinfo: string, root: string): string | undefined {
  // Fields of proc_pid_mountinfo(5): … mount point (5th) … - type source super-options. The last mount is on top.
  const line = mountinfo
    .split('\n')
    .findLast((text) => text.split(' ')[4] === root && / - proc /.test(text))
  const option = /hidepid=([a-z0-9]+)/.exec(line ?? '')?.[1]
  return option === '0' || option === 'off' ? undefined : option
}

/** Each collector twice, 100 ms apart, as rates need. */
async function examineReadings(config: Config, clock: Clock): Promise<Finding[]> {
  const machine = await openMachine(config, clock, silentLog)
  await machine.sampler.takeSample(0)
  await new Promise<void>((resolve) => clock.after(100, resolve))
  const { m } = await machine.sampler.takeSample(0)
  const failures = machine.sampler.failures()
  const reasons = machine.inventory().unavailable ?? {}
  let taken = 0

  const found = machine.collectors.flatMap(({ name, reads }): Finding[] => {
    const check = `collector ${name}`
    const missing = reads.filter((reading) => m[reading] === undefined)
    taken += reads.length - missing.length
    const failure = failures.get(name)
    if (failure !== undefined) {
      return [
        failed(
          check,
          `${failure}; not sent: ${reads.join(', ')}`,
          `see "proc"; the other readings are sent`,
        ),
      ]
    }
    if (missing.length === 0) return []
    const why = missing.map((reading) => `${reading}: ${reasons[reading] ?? 'nothing to read'}`)
    return [warning(check, why.join(', '), 'these readings stay absent; the others are sent')]
  })
  return [
    ...(taken === 0 ? [] : [fine('readings', `${taken} of this server were taken`)]),
    ...found,
  ]
}

function attempt<Value>(find: () => Value): Value | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}
