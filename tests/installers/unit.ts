import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DebianRoot } from './debian-root.ts'

/** One value of a systemd unit, as the package installed it; undefined where the unit does not say. */
function unitValue(root: DebianRoot, unit: string, key: string): string | undefined {
  const text = readFileSync(join(root.folder, 'usr/lib/systemd/system', `${unit}.service`), 'utf8')
  return new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]
}

/** Does what systemd would, which a chroot has not: runs ExecStart as User, the unit's folders made. */
export function startUnit(
  root: DebianRoot,
  unit: string,
  environment: { readonly [name: string]: string } = {},
) {
  const user = unitValue(root, unit, 'User')!
  const folders = [
    ['/var/lib', unitValue(root, unit, 'StateDirectory')],
    ['/run', unitValue(root, unit, 'RuntimeDirectory')],
  ]
  for (const [place, folder] of folders) {
    if (folder === undefined) continue
    root.run('install', '-d', '-o', user, '-g', user, '-m', '0750', `${place}/${folder}`)
  }
  const command = unitValue(root, unit, 'ExecStart')!.split(' ')
  const child: ChildProcess = spawn(
    'chroot',
    [`--userspec=${user}:${user}`, root.folder, ...command],
    {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const ended = once(child, 'exit')
  let said = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (text) => (said += text))
  return {
    said: () => said,
    /** With what exit code it ended by itself. */
    ended: async (): Promise<number | null> => ((await ended) as [number | null])[0],
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
