import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { askHub, runningHub } from '../../hub/src/models/running-hub.ts'
import { until } from '../enrolment/secure-hub.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

type Servers = { servers: { metrics: { mem_used_pct?: { now: number } } }[] }

/** `npm start -- --no-demo`, on ports that are free. */
function start(folder: string, env: object) {
  const data = join(folder, 'data')
  const child = spawn(
    process.execPath,
    [
      ...['installers/dev/start.mjs', '--no-demo', '--data', data],
      ...['--port', '0', '--mqtt-port', '0'],
    ],
    { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const ended = once(child, 'exit')
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => (said += String(text)))
  }
  return {
    data,
    said: () => said,
    address: () =>
      until(
        `an address: ${said}`,
        () => {
          if (child.exitCode !== null) throw new Error(`it ended by itself: ${said}`)
          return /Harbinger is at (\S+)/.exec(said)?.[1]
        },
        120_000,
      ),
    stop: async (): Promise<void> => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** This machine's own samples are in the hub. */
const seen = (data: string) =>
  until(
    'a sample of this machine',
    async () => {
      const hub = await runningHub(data)
      if (!hub) return undefined
      const { servers } = await askHub<Servers>(hub, '/servers')
      return servers[0]?.metrics.mem_used_pct !== undefined
    },
    60_000,
  )

test.each([
  ['in the clear', {}, 'http:'],
  // As `tls: { mode: on }` in .harbinger/hub.yaml says it.
  ['with TLS', { HARBINGER_TLS_MODE: 'on' }, 'https:'],
])(
  'npm start %s finds its hub and brings its own agent into it',
  { timeout: 240_000 },
  async (_how, env, scheme) => {
    const folder = mkdtempSync(join(tmpdir(), 'harbinger-start-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    // The second time the agent has joined already.
    const identities = new Set<string>()
    for (const _time of scheme === 'https:' ? [1, 2] : [1]) {
      const started = start(folder, env)
      try {
        expect(new URL(await started.address()).protocol).toBe(scheme)
        await seen(started.data)
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${started.said()}`, { cause: error })
      } finally {
        await started.stop()
      }
      if (scheme === 'http:') continue
      expect(started.said()).toContain('the browser warns once')
      identities.add(readFileSync(join(started.data, 'agent/tls/identity.pem'), 'utf8'))
    }
    expect(identities.size).toBe(scheme === 'https:' ? 1 : 0)
  },
)
