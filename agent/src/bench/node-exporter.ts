import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { end } from './load.ts'

/** What Prometheus users run in the agent's place, as Debian packages it. */
const program = 'prometheus-node-exporter'

/** Undefined where it is not installed (`apt-get install prometheus-node-exporter`). */
export function nodeExporterVersion(): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  return status === 0 ? (/version (\S+)/.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown') : undefined
}

/** Runs it as it comes; it works when it is asked, so it is asked every `intervalMs`. */
export async function openNodeExporter(intervalMs: number) {
  const port = await freePort()
  const child = spawn(program, [`--web.listen-address=127.0.0.1:${port}`, '--log.level=error'], {
    stdio: 'ignore',
  })
  await once(child, 'spawn')
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/metrics`).then(
      (answer) => answer.arrayBuffer(),
      () => undefined,
    )
  const timer = setInterval(() => void ask(), intervalMs)
  return {
    pid: child.pid!,
    async close(): Promise<void> {
      clearInterval(timer)
      await end(child)
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
