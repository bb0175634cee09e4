import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DebianRoot } from './debian-root.ts'

/** One value of a systemd unit, as the package installed it. */
export const unitValue = (root: DebianRoot, unit: string, key: string): string =>
  new RegExp(`^${key}=(.*)$`, 'm').exec(
    readFileSync(join(root.folder, 'usr/lib/systemd/system', `${unit}.service`), 'utf8'),
  )![1]!

/** Does what systemd would, which a chroot has not: runs ExecStart as User, the folder of StateDirectory made. */
export function startUnit(root: DebianRoot, unit: string) {
  const user = unitValue(root, unit, 'User')
  const state = `/var/lib/${unitValue(root, unit, 'StateDirectory')}`
  root.run('install', '-d', '-o', user, '-g', user, '-m', '0750', state)
  const command = unitValue(root, unit, 'ExecStart').split(' ')
  const child: ChildProcess = spawn(
    'chroot',
    [`--userspec=${user}:${user}`, root.folder, ...command],
    { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const ended = once(child, 'exit')
  let said = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (text) => (said += text))
  return {
    said: () => said,
    async stop(): Promise<void> {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Asks until the answer is there. */
export async function until<Value>(
  what: string,
  seconds: number,
  ask: () => Promise<Value | undefined>,
): Promise<Value> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    const value = await ask().catch(() => undefined)
    if (value !== undefined) return value
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
