import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lacks, run } from './system-tools.ts'

/** Kept from one run to the next, outside the repository. */
export const cache = process.env['HARBINGER_TEST_CACHE'] ?? '/var/cache/harbinger-tests'

export const suite = 'bookworm'

/** Why there can be no Debian of our own on this machine. */
export const noDebianRoot = (): string | undefined =>
  process.platform !== 'linux'
    ? 'not Linux'
    : process.getuid?.() !== 0
      ? 'not root: debootstrap and chroot need it'
      : lacks('debootstrap', 'dpkg-deb', 'mount')

export type DebianRoot = ReturnType<typeof openDebianRoot>

/** The smallest Debian 12, fresh from debootstrap, to install packages in; the machine's /proc shows through. */
export function openDebianRoot() {
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-root-'))
  execFileSync('cp', ['-a', '--reflink=auto', `${bareDebian()}/.`, folder])
  execFileSync('mount', ['-t', 'proc', 'proc', join(folder, 'proc')])
  return {
    folder,
    /** Runs a command inside; answers what it said on both channels and how it ended. */
    try: (...words: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync('chroot', [folder, ...words], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
          LC_ALL: 'C',
          DEBIAN_FRONTEND: 'noninteractive',
        },
      })
      return { status, said: `${stdout}${stderr}` }
    },
    run(...words: readonly string[]): string {
      const { status, said } = this.try(...words)
      if (status !== 0) throw new Error(`${words.join(' ')}: exit ${status}\n${said}`)
      return said
    },
    close(): void {
      execFileSync('umount', ['--lazy', join(folder, 'proc')])
      // Never into something that is still mounted.
      execFileSync('rm', ['-rf', '--one-file-system', folder])
    },
  }
}

export function bareDebian(): string {
  const kept = join(cache, `${suite}-${process.arch}`)
  if (existsSync(kept)) return kept
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'new-'))
  try {
    const began = performance.now()
    run('debootstrap', ['--variant=minbase', suite, work, ...mirror()])
    process.stderr.write(`debootstrap: ${((performance.now() - began) / 1000).toFixed(0)} s\n`)
    // Another process may have been faster.
    if (!existsSync(kept)) renameSync(work, kept)
    return kept
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The mirror this machine's apt uses for the same suite. */
function mirror(): string[] {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(CODENAME) $(SITE)'], {
    encoding: 'utf8',
  })
  const site = (stdout ?? '')
    .split('\n')
    .find((line) => line.startsWith(`${suite} `))
    ?.split(' ')[1]
  return site?.startsWith('http') ? [site] : []
}
