import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Serves a folder over http on loopback, from a process of its own: the tests wait for programs without a turn of their own. */
export async function serveFolder(folder: string) {
  const child = spawn(
    'python3',
    ['-u', '-m', 'http.server', '--bind', '127.0.0.1', '--directory', folder, '0'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const ended = once(child, 'exit')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const [, port] = /port (\d+)/.exec(line) ?? []
  return {
    url: `http://127.0.0.1:${port}`,
    async close(): Promise<void> {
      child.kill('SIGTERM')
      await ended
    },
  }
}
