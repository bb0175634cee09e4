import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import type { MadeToken, TokenRequest } from '@harbinger/shared/enrolment-api'
import { pinnedRequest } from '../../hub/src/models/pinned-request.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const hubMain = join(root, 'hub/src/main.ts')
const agentMain = join(root, 'agent/src/main.ts')

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string }

const run = (args: readonly string[], env: object = {}, input?: string): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...args],
      { env: { PATH: process.env.PATH, ...env } as NodeJS.ProcessEnv, cwd: root },
      (error, stdout, stderr) =>
        resolve({
          code: typeof error?.code === 'number' ? error.code : error ? 1 : 0,
          stdout,
          stderr,
        }),
    )
    child.stdin?.end(input)
  })

/** Looks again until it is so; what is waited for is named when it never is. */
export async function until<Value>(
  what: string,
  look: () => Value | undefined | false | Promise<Value | undefined | false>,
  withinMs = 20_000,
): Promise<Value> {
  const giveUpAt = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${what}`)
    await pause(50)
  }
}

/** A hub in a process of its own, with TLS, and what operators and servers do with it. */
export async function openSecureHub(settings: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-enrolment-'))
  const env = {
    HARBINGER_TLS_MODE: 'on',
    HARBINGER_TLS_NAMES: 'localhost',
    HARBINGER_DATA_FOLDER: join(folder, 'data'),
    ...settings,
  }
  const lines: string[] = []
  const agents = new Set<ChildProcess>()
  const clients = new Set<MqttClient>()
  let errors = ''
  let child: ChildProcess

  async function start(ports: { readonly http: number; readonly mqtt: number }) {
    const before = lines.length
    const started = spawn(
      process.execPath,
      [hubMain, 'hub', '--port', String(ports.http), '--mqtt-port', String(ports.mqtt)],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, ...env }, cwd: root },
    )
    child = started
    started.stderr.on('data', (chunk) => (errors += String(chunk)))
    createInterface({ input: started.stdout }).on('line', (line) => lines.push(line))
    return until(
      'the hub is up',
      () => {
        if (started.exitCode !== null) throw new Error(`the hub ended: ${errors}`)
        const line = lines.slice(before).find((text) => text.includes('the hub is up'))
        return line === undefined
          ? undefined
          : (JSON.parse(line) as { address: string; mqttPort: number })
      },
      60_000,
    ).catch((error: Error) => {
      started.kill('SIGKILL')
      throw new Error(`${error.message}; it said ${lines.join(' ')} ${errors}`, { cause: error })
    })
  }

  /** As if its machine lost power: nothing is said to anybody. */
  async function kill() {
    const gone = child.exitCode === null ? once(child, 'exit') : undefined
    child.kill('SIGKILL')
    await gone
  }

  const { address, mqttPort } = await start({ http: 0, mqtt: 0 })
  const httpPort = Number(new URL(address).port)
  const ca = readFileSync(join(folder, 'data/tls/ca.pem'), 'utf8')
  const url = `https://localhost:${httpPort}`

  const ask = async <Answer>(
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const text = body && JSON.stringify(body)
    const answer = await pinnedRequest(`${url}/api/v1${path}`, {
      ...{ certificate: ca, headers, timeoutMs: 10_000 },
      ...(text !== undefined && { body: text }),
    })
    return { status: answer.status, body: (await answer.json()) as Answer }
  }
  const command = (...args: string[]) => run([hubMain, ...args], env)
  const stateOf = (server: string) => join(folder, server)

  return {
    ...{ folder, ca, url, httpPort, mqttPort, lines, ask, command },
    dataFolder: join(folder, 'data'),
    kill,
    /** The same hub again, on the same ports. */
    startAgain: () => start({ http: httpPort, mqtt: mqttPort }),
    /** Makes a token as the page Settings does. */
    token: async (asked: TokenRequest = {}) => (await ask<MadeToken>('/tokens', asked)).body,
    /** `harbinger-agent join …` as a line says it. */
    join: (server: string, line: string, extra: readonly string[] = []) => {
      mkdirSync(stateOf(server), { recursive: true })
      return run(
        [agentMain, ...line.split(' ').slice(1), '--server', server, ...extra].concat(
          '--config',
          join(stateOf(server), 'agent.yaml'),
        ),
        { HARBINGER_STATE_DIRECTORY: stateOf(server) },
      )
    },
    identityFile: (server: string) => join(stateOf(server), 'tls/identity.pem'),
    configFile: (server: string) => join(stateOf(server), 'agent.yaml'),
    /** `harbinger-agent run` with what join wrote; what it logs is kept. */
    startAgent(server: string) {
      const agent = spawn(
        process.execPath,
        [agentMain, 'run', '--config', join(stateOf(server), 'agent.yaml')],
        {
          stdio: ['ignore', 'ignore', 'pipe'],
          env: { PATH: process.env.PATH, HARBINGER_INTERVAL_SECONDS: '1' },
          cwd: root,
        },
      )
      agents.add(agent)
      const said: string[] = []
      createInterface({ input: agent.stderr }).on('line', (line) => said.push(line))
      return {
        said,
        async stop() {
          const gone = agent.exitCode === null ? once(agent, 'exit') : undefined
          agent.kill('SIGTERM')
          await gone
          agents.delete(agent)
        },
      }
    },
    /** An MQTT client that proves itself with what `server` has, as any program could. */
    async connect(server: string | undefined, options: IClientOptions = {}) {
      const pem = server && readFileSync(join(stateOf(server), 'tls/identity.pem'), 'utf8')
      const client = await connectAsync(
        `mqtts://localhost:${mqttPort}`,
        {
          ...{ ca, clientId: server ?? 'nobody', reconnectPeriod: 0, connectTimeout: 5_000 },
          ...(pem && { key: pem, cert: pem }),
          ...options,
        },
        false,
      )
      client.on('error', () => {})
      clients.add(client)
      return client
    },
    async close() {
      for (const client of clients) client.end(true)
      for (const agent of agents) agent.kill('SIGKILL')
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type SecureHub = Awaited<ReturnType<typeof openSecureHub>>

export const runHub = (args: readonly string[], env: object) => run([hubMain, ...args], env)
