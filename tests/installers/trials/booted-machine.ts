import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { bareDebian, cache, noDebianRoot, suite } from '../debian-root.ts'
import { lacks, run } from '../system-tools.ts'
import { until } from '../unit.ts'

/** What a server has that is managed: a systemd, and what Ansible needs to work on it. */
const packages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'iproute2', 'ca-certificates'],
  ...['python3', 'python3-apt', 'ansible-core'],
]

/** Why the trials do not run here. */
export const noTrials = (...tools: readonly string[]): string | undefined =>
  process.env['HARBINGER_TRIALS'] === undefined
    ? 'trials run when HARBINGER_TRIALS is set'
    : (noDebianRoot() ?? lacks(...tools))

export type BootedMachine = Awaited<ReturnType<typeof bootMachine>>

/** A Debian 12 of its own that runs under its own systemd, with a network of its own that has loopback alone. */
export async function bootMachine() {
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-machine-'))
  run('cp', ['-a', '--reflink=auto', `${managedDebian()}/.`, folder])
  const child = spawn(
    'systemd-nspawn',
    [
      ...['--quiet', '--boot', '--private-network', '--register=no', '--keep-unit'],
      ...['--console=pipe', `--machine=${basename(folder)}`, '-D', folder],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const ended = once(child, 'exit')
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => (said += String(text)))
  }
  const systemd = await until('the machine starts', 30, async () => {
    const path = `/proc/${child.pid}/task/${child.pid}/children`
    return readFileSync(path, 'utf8').trim().split(' ')[0] || undefined
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${said}`, { cause: error })
  })
  const machine = {
    folder,
    /** Runs a command inside; answers what it said on both channels and how it ended. */
    try(...words: readonly string[]) {
      const { status, stdout, stderr } = spawnSync('nsenter', ['-t', systemd, '-a', ...words], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        maxBuffer: 1 << 28,
        env: {
          PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
          LC_ALL: 'C.UTF-8',
          DEBIAN_FRONTEND: 'noninteractive',
          HOME: '/root',
        },
      })
      return { status, said: `${stdout}${stderr}` }
    },
    run(...words: readonly string[]): string {
      const { status, said } = machine.try(...words)
      if (status !== 0) throw new Error(`${words.join(' ')}: exit ${status}\n${said}`)
      return said
    },
    /** Puts files into root's home. */
    bring: (files: readonly string[]) =>
      files.map((file) => {
        cpSync(file, join(folder, 'root', basename(file)))
        return `/root/${basename(file)}`
      }),
    async close(): Promise<void> {
      machine.try('systemctl', 'poweroff')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await until('the machine is up', 60, async () =>
    /running|degraded/.test(machine.try('systemctl', 'is-system-running').said) ? true : undefined,
  )
  const name = machine.run('uname', '-n').trim()
  machine.run(
    'sh',
    '-c',
    `ip link set lo up; printf '127.0.0.1 localhost\\n127.0.1.1 ${name}\\n' >/etc/hosts`,
  )
  return { ...machine, name }
}

function managedDebian(): string {
  const kept = join(cache, `${suite}-managed-${process.arch}`)
  if (existsSync(kept)) return kept
  const work = mkdtempSync(join(cache, 'new-'))
  try {
    run('cp', ['-a', '--reflink=auto', `${bareDebian()}/.`, work])
    cpSync('/etc/resolv.conf', join(work, 'etc/resolv.conf'))
    const install = `apt-get -qq update && apt-get -qq -y --no-install-recommends install ${packages.join(' ')}`
    run('chroot', [work, 'sh', '-c', `export DEBIAN_FRONTEND=noninteractive; ${install}`])
    if (!existsSync(kept)) renameSync(work, kept)
    return kept
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
