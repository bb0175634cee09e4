import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { deflateSync } from 'node:zlib'
import { productVersion } from '@harbinger/shared/version'
import { processCost } from './bench/process-cost.ts'
import { crowd, type LoadResult, underLoad } from './bench/under-load.ts'

/** One bar of docs/benchmarks.md: what was measured, against what, and how. */
export type AgentFigure = {
  readonly name: string
  readonly figure: number
  readonly unit: string
  readonly bar: string
  readonly ok: boolean
  readonly peer?: { readonly name: string; readonly figure: number; readonly ratio: number }
  readonly conditions: { readonly [name: string]: unknown }
}

export type AgentBenchOptions = {
  /** Shows that the bench works; its figures mean nothing. */
  readonly small?: boolean
  /** A whole hour under load, and what memory would grow by in a day; minutes otherwise. */
  readonly hour?: boolean
  /** A broker to connect to; by default nobody answers. */
  readonly hubUrl?: string
  /** Opens a hub with TLS that an agent has joined, whose configuration this is; without it no such agent is measured. */
  readonly join?: () => Promise<{ readonly configFile: string; close(): Promise<void> }>
}

const bundle = fileURLToPath(new URL('../dist/harbinger-agent.js', import.meta.url))
const flagsFile = new URL('../node-flags.json', import.meta.url)

const processes = 500
const sockets = 5_000

/** What a running agent costs: the built one, with the flags it is installed with, on this machine's real /proc. */
export async function benchAgent({
  small = false,
  hour = false,
  hubUrl = 'mqtt://127.0.0.1:9',
  join: joinHub,
}: AgentBenchOptions = {}): Promise<AgentFigure[]> {
  if (!existsSync(bundle)) throw new Error(`${bundle} is missing: run node agent/build.mjs first`)
  const folder = mkdtempSync(join(tmpdir(), 'agent-bench-'))
  try {
    const idle = await measure(['-e', 'setInterval(() => {}, 10_000)'], {
      env: {},
      warmUpMs: small ? 500 : 3_000,
      measureMs: small ? 500 : 3_000,
    })
    const seconds = { warmUp: small ? 3 : 30, measured: small ? 5 : 120 }
    const intervalSeconds = small ? 1 : 10
    const real = await measure([bundle, 'run'], {
      env: agentEnv(folder, { hubUrl, intervalSeconds }),
      warmUpMs: seconds.warmUp * 1000,
      measureMs: seconds.measured * 1000,
    })
    const joined = joinHub && (await measureJoined(joinHub, { ...seconds, intervalSeconds }))
    const crowded = await measure([bundle, 'run'], {
      env: {
        ...agentEnv(folder, { hubUrl, intervalSeconds: 1 }),
        HARBINGER_PROC_ROOT: writeCrowd(join(folder, 'proc')),
      },
      warmUpMs: small ? 2_000 : 10_000,
      measureMs: small ? 3_000 : 30_000,
    })
    const load = await underLoad({
      command: [process.execPath, ...nodeFlags(), bundle, 'run'],
      env: agentEnv(folder, { hubUrl, intervalSeconds }),
      intervalMs: intervalSeconds * 1000,
      warmUpMs: small ? 3_000 : hour ? 120_000 : 30_000,
      measureMs: small ? 4_000 : hour ? 3_600_000 : 120_000,
      load: small ? { processes: 20, sockets: 100 } : crowd,
    })
    const wire = wireBytes(await sampleNow(folder))

    const conditions = {
      cores: availableParallelism(),
      device: cpus()[0]?.model ?? 'unknown',
      node: process.version,
      versions: { harbinger: productVersion },
      at: new Date().toISOString(),
      small,
      seconds: seconds.measured,
      intervalSeconds,
      hub: hubUrl,
      flags: nodeFlags().join(' '),
    }
    const figure = (
      name: string,
      value: number,
      { unit, bar, peer, peerName = 'node without a program' }: Beside,
    ): AgentFigure => ({
      name,
      figure: Number(value.toPrecision(4)),
      unit,
      bar: `≤ ${bar}`,
      ok: value <= bar,
      ...(peer !== undefined && {
        peer: { name: peerName, figure: peer, ratio: value / peer },
      }),
      conditions,
    })
    return [
      figure('agent, RSS', real.rssMb, { unit: 'MB', bar: 56, peer: idle.rssMb }),
      figure('agent, private memory', real.privateMb, {
        unit: 'MB',
        bar: 14,
        peer: idle.privateMb,
      }),
      figure('agent, CPU of a core', real.cpuPercent, { unit: '%', bar: 0.1 }),
      ...(joined
        ? [
            figure('agent over TLS, RSS', joined.rssMb, { unit: 'MB', bar: 56 }),
            figure('agent over TLS, private memory', joined.privateMb, { unit: 'MB', bar: 14 }),
            figure('agent over TLS, CPU of a core', joined.cpuPercent, { unit: '%', bar: 0.1 }),
          ]
        : []),
      figure(
        `one sample, ${processes} processes and ${sockets} sockets (files)`,
        crowded.cpuPercent * 10,
        {
          unit: 'ms CPU',
          bar: 10,
        },
      ),
      ...loadFigures(load, figure),
      figure('wire, live', wire.live, { unit: 'B/sample', bar: 250 }),
      figure('wire, backlog', wire.backlog, { unit: 'B/sample', bar: 40 }),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

type Beside = {
  readonly unit: string
  readonly bar: number
  readonly peer?: number | undefined
  readonly peerName?: string
}

/** Beside node_exporter where it is installed. The slope is worth its name after an hour; before it is not given. */
function loadFigures(
  { agent, peer, seconds }: LoadResult,
  figure: (name: string, value: number, beside: Beside) => AgentFigure,
): AgentFigure[] {
  const where = `${crowd.processes} processes, ${crowd.sockets} sockets`
  const peerName = `node_exporter ${peer?.version ?? ''}`
  const beside = (unit: string, bar: number, of?: number) => ({ unit, bar, peer: of, peerName })
  return [
    figure(`agent under load, RSS (${where})`, agent.rssMb, beside('MB', 56, peer?.rssMb)),
    figure('agent under load, private memory', agent.privateMb, beside('MB', 14, peer?.privateMb)),
    figure('agent under load, CPU of a core', agent.cpuPercent, beside('%', 0.1, peer?.cpuPercent)),
    figure('agent under load, child processes', agent.children, { unit: 'processes', bar: 0 }),
    ...(seconds >= 3_000 && agent.slope !== undefined
      ? [
          figure('agent under load, slope of private memory', agent.slope, {
            unit: '%/day',
            bar: 1,
          }),
        ]
      : []),
  ]
}

/** As it is installed: with a configuration file, and a certificate on both sides. */
async function measureJoined(
  joinHub: NonNullable<AgentBenchOptions['join']>,
  time: { readonly warmUp: number; readonly measured: number; readonly intervalSeconds: number },
): Promise<Cost> {
  const { configFile, close } = await joinHub()
  try {
    return await measure([bundle, 'run', '--config', configFile], {
      env: {
        HARBINGER_INTERVAL_SECONDS: String(time.intervalSeconds),
        HARBINGER_LOG_LEVEL: 'error',
      },
      warmUpMs: time.warmUp * 1000,
      measureMs: time.measured * 1000,
    })
  } finally {
    await close()
  }
}

const nodeFlags = () => JSON.parse(readFileSync(flagsFile, 'utf8')) as string[]

const agentEnv = (
  folder: string,
  { hubUrl, intervalSeconds }: { hubUrl: string; intervalSeconds: number },
) => ({
  HARBINGER_SERVER: 'agent-bench',
  HARBINGER_HUB: hubUrl,
  HARBINGER_INTERVAL_SECONDS: String(intervalSeconds),
  HARBINGER_STATE_DIRECTORY: join(folder, 'state'),
  HARBINGER_LOG_LEVEL: 'error',
})

type Cost = { readonly rssMb: number; readonly privateMb: number; readonly cpuPercent: number }

type Run = {
  readonly env: { readonly [name: string]: string }
  readonly warmUpMs: number
  readonly measureMs: number
}

async function measure(
  program: readonly string[],
  { env, warmUpMs, measureMs }: Run,
): Promise<Cost> {
  const child = spawn(process.execPath, [...nodeFlags(), ...program], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  try {
    await sleep(warmUpMs)
    const before = processCost(child.pid!)
    const startedAt = performance.now()
    await sleep(measureMs)
    const { rssMb, privateMb, cpuMs } = processCost(child.pid!)
    return {
      rssMb,
      privateMb,
      cpuPercent: (100 * (cpuMs - before.cpuMs)) / (performance.now() - startedAt),
    }
  } finally {
    const ended = child.exitCode === null ? once(child, 'exit') : undefined
    child.kill()
    await ended
  }
}

/** A /proc of files with many processes, a tenth of them JVMs, and many sockets of both families. */
function writeCrowd(root: string): string {
  mkdirSync(join(root, 'net'), { recursive: true })
  mkdirSync(join(root, 'self'))
  for (const file of ['stat', 'meminfo', 'loadavg', 'uptime', 'net/dev', 'self/mountinfo']) {
    writeFileSync(join(root, file), readFileSync(`/proc/${file}`))
  }
  for (let pid = 1; pid <= processes; pid++) {
    mkdirSync(join(root, String(pid)))
    const comm = pid % 10 === 0 ? 'java' : `worker-${pid}`
    const line = `${pid} (${comm}) S 1 ${pid} ${pid} 0 -1 4194560 81037 34094400 0 1725 237 1049 206306 15491 20 0 13 0 ${pid + 100} 43229184 3203 18446744073709551615${' 0'.repeat(27)}\n`
    writeFileSync(join(root, String(pid), 'stat'), line)
    writeFileSync(join(root, String(pid), 'cmdline'), `/usr/bin/${comm}\0--flag\0`)
  }
  const table = (digits: 8 | 32, count: number) =>
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n' +
    Array.from({ length: count }, (_, i) => {
      const address = '0100007F'.padStart(digits, '0')
      const port = (1024 + i).toString(16).toUpperCase().padStart(4, '0')
      const state = i < 50 ? '0A' : i % 20 === 0 ? '08' : '01'
      return `${String(i).padStart(4)}: ${address}:${port} ${address}:1F90 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${100_000 + i} 1 00000000c047544a 20 4 30 10 -1\n`
    }).join('')
  writeFileSync(join(root, 'net/tcp'), table(8, sockets * 0.6))
  writeFileSync(join(root, 'net/tcp6'), table(32, sockets * 0.4))
  writeFileSync(join(root, 'net/sockstat6'), `TCP6: inuse ${sockets * 0.4}\n`)
  return root
}

async function sampleNow(folder: string): Promise<string> {
  const child = spawn(process.execPath, [...nodeFlags(), bundle, 'once'], {
    env: agentEnv(folder, { hubUrl: 'mqtt://127.0.0.1:9', intervalSeconds: 10 }),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(child, 'close')
  return Buffer.concat(chunks).toString('utf8').trim()
}

/** A batch of the backlog whose samples differ as those of a busy server do: every rate and share anew. */
function wireBytes(json: string): { live: number; backlog: number } {
  const sample = JSON.parse(json) as { seq: number; at: number; m: { [name: string]: number } }
  const batch = 500
  let state = 42
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  const samples = Array.from({ length: batch }, (_, i) => {
    const user = Math.round(1_000 + 500 * random())
    const sys = Math.round(300 + 200 * random())
    const ioWait = Math.round(50 * random())
    return {
      ...sample,
      seq: 1_767_225_600 + i,
      at: sample.at + i * 10_000,
      m: {
        ...sample.m,
        cpu_user_pct: user / 100,
        cpu_sys_pct: sys / 100,
        cpu_iowait_pct: ioWait / 100,
        cpu_idle_pct: (10_000 - user - sys - ioWait) / 100,
        mem_used_pct: Math.round(4_000 + 20 * random()) / 100,
        net_in_mb_s: Math.round(1_000 * random()) / 1_000,
        net_out_mb_s: Math.round(500 * random()) / 1_000,
        load_average: Math.round(100 + 50 * random()) / 100,
        uptime_days: Math.round((100 + (i * 10) / 86_400) * 1e4) / 1e4,
      },
    }
  })
  const live = JSON.stringify(samples[0])
  return {
    live: Buffer.byteLength(live),
    backlog: deflateSync(JSON.stringify(samples)).length / batch,
  }
}
