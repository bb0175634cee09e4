import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export type Line = { readonly msg: string; readonly [field: string]: unknown }

/** A process of ours with what it logged; killed as a crash kills, or stopped as a person does. */
export type Running = {
  readonly pid: number
  readonly lines: readonly Line[]
  said(text: string): boolean
  until(text: string, times?: number): Promise<Line>
  end(signal?: NodeJS.Signals): Promise<void>
}

function follow(child: ChildProcess, output: NodeJS.ReadableStream, name: string): Running {
  const lines: Line[] = []
  createInterface({ input: output }).on('line', (line) => {
    try {
      lines.push(JSON.parse(line) as Line)
    } catch {
      lines.push({ msg: line })
    }
  })
  const found = (text: string) => lines.filter(({ msg }) => msg.includes(text))
  return {
    pid: child.pid!,
    lines,
    said: (text) => found(text).length > 0,
    async until(text, times = 1) {
      await untilTrue(`${name} says "${text}"`, () => {
        if (found(text).length < times && child.exitCode !== null) {
          throw new Error(`${name} ended: ${lines.map(({ msg }) => msg).join(' | ')}`)
        }
        return found(text).length >= times
      })
      return found(text)[times - 1]!
    },
    async end(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill(signal)
      await gone
    },
  }
}

/** Looks again until it is so, or fails by name. */
export async function untilTrue(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  deadlineMs = 60_000,
): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`)
    await pause(25)
  }
}

type Env = { readonly [name: string]: string }

/** The hub as it is run, with the ports it found. */
export async function startHub(
  dataFolder: string,
  { mqttPort = 0, env = {} }: { mqttPort?: number; env?: Env } = {},
) {
  const child = spawn(
    process.execPath,
    [
      at('../../hub/src/main.ts'),
      'hub',
      ...['--port', '0', '--mqtt-port', String(mqttPort), '--data', dataFolder],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH, ...env } },
  )
  const hub = follow(child, child.stdout, 'the hub')
  const up = await hub.until('the hub is up')
  const address = String(up.address)
  return {
    ...hub,
    mqttPort: Number(up.mqttPort),
    /** Changes something, as the pages do; throws the hub's own words when it is refused. */
    async change<Answer>(method: 'PUT' | 'DELETE', path: string, body: object = {}) {
      const answer = await fetch(`${address}/api/v1${path}`, {
        ...{ method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
      })
      const text = await answer.text()
      if (!answer.ok) throw new Error(text)
      return JSON.parse(text) as Answer
    },
    get: async (path: string): Promise<Record<string, unknown>> =>
      (await (await fetch(`${address}/api/v1${path}`)).json()) as Record<string, unknown>,
  }
}

/** The agent as it is run, without its launcher: a signal reaches it itself. */
export function startAgent(
  stateDirectory: string,
  hubUrl: string,
  env: Env = {},
  /** What it is run within, like a network namespace. */
  within: readonly string[] = [],
): Running {
  const [program, ...args] = [...within, process.execPath, at('../../agent/src/main.ts'), 'run']
  const child = spawn(program!, args, {
    cwd: stateDirectory,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HARBINGER_SERVER: 'web1',
      HARBINGER_HUB: hubUrl,
      HARBINGER_INTERVAL_SECONDS: '1',
      HARBINGER_STATE_DIRECTORY: stateDirectory,
      HARBINGER_LOG_LEVEL: 'debug',
      ...env,
    },
  })
  return follow(child, child.stderr, 'the agent')
}

/** Why this test cannot run here; undefined when it can. In CI it has to. */
export function missing(program: string, probe: readonly string[]): string | undefined {
  try {
    execFileSync(program, probe, {
      stdio: 'ignore',
      env: { PATH: `${process.env.PATH}:/usr/sbin` },
    })
    return undefined
  } catch (error) {
    // Programs that know no harmless option answer with a code of their own.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return undefined
    const reason = `${program} is not installed`
    if (process.env.CI === 'true')
      throw new Error(`${reason}, and CI has to test it`, { cause: error })
    return reason
  }
}

export const noMosquitto = (): string | undefined => missing('mosquitto', ['-h'])

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Debian's Mosquitto with the lines of a configuration; it answers on `port` when this is through. */
export async function startMosquitto(folder: string, port: number, lines: readonly string[]) {
  const file = join(folder, 'mosquitto.conf')
  writeFileSync(file, `${lines.join('\n')}\n`)
  const child = spawn('mosquitto', ['-c', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
  })
  const mosquitto = follow(child, child.stderr, 'mosquitto')
  await untilTrue(`mosquitto answers on ${port}`, () => {
    if (child.exitCode !== null) throw new Error(mosquitto.lines.map(({ msg }) => msg).join(' | '))
    return answers(port)
  })
  return mosquitto
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const finish = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
  })
