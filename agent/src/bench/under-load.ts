import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { end, openLoad } from './load.ts'
import { nodeExporterVersion, openNodeExporter } from './node-exporter.ts'
import { childrenOf, type ProcessCost, processCost, slopePerDay } from './process-cost.ts'

export const crowd = { processes: 500, sockets: 5_000 }

type Options = {
  /** How the agent is started. */
  readonly command: readonly string[]
  readonly env: { readonly [name: string]: string }
  readonly intervalMs: number
  readonly warmUpMs: number
  readonly measureMs: number
  readonly load?: { readonly processes: number; readonly sockets: number }
}

export type LoadResult = {
  readonly agent: Summary
  /** In the same minutes, on the same machine; undefined where it is not installed. */
  readonly peer: (Summary & { readonly version: string }) | undefined
  readonly seconds: number
}

type Summary = {
  /** The largest that was seen. */
  readonly rssMb: number
  readonly privateMb: number
  readonly cpuPercent: number
  readonly children: number
  /** Percent a day; undefined when too little was measured. */
  readonly slope: number | undefined
}

/** Agent and node_exporter side by side on a machine that is made busy, both asked at the same pace. */
export async function underLoad(options: Options): Promise<LoadResult> {
  const { command, env, intervalMs, warmUpMs, measureMs, load = crowd } = options
  const busy = await openLoad(load)
  const [program = process.execPath, ...words] = command
  const agent = spawn(program, words, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const version = nodeExporterVersion()
  const peer = version === undefined ? undefined : await openNodeExporter(intervalMs)
  try {
    await sleep(warmUpMs)
    const seen: { at: number; agent: Look; peer: Look | undefined }[] = []
    const look = () =>
      seen.push({
        at: performance.now(),
        agent: lookAt(agent.pid!),
        peer: peer && lookAt(peer.pid),
      })
    look()
    const from = seen[0]!.at
    while (performance.now() - from < measureMs) {
      await sleep(Math.min(intervalMs, measureMs))
      look()
    }
    const ofPeer = seen.flatMap((one) => (one.peer ? [{ at: one.at, ...one.peer }] : []))
    return {
      agent: summary(seen.map((one) => ({ at: one.at, ...one.agent }))),
      peer: version === undefined ? undefined : { ...summary(ofPeer), version },
      seconds: (seen.at(-1)!.at - from) / 1000,
    }
  } finally {
    await end(agent)
    await peer?.close()
    await busy.close()
  }
}

type Look = ProcessCost & { readonly children: number }

const lookAt = (pid: number): Look => ({ ...processCost(pid), children: childrenOf(pid) })

function summary(looks: readonly (Look & { readonly at: number })[]): Summary {
  const first = looks[0]!
  const last = looks.at(-1)!
  // What is filled once (buffers, code that is read for the first time) is not growth.
  const settled = looks.filter(({ at }) => at >= first.at + (last.at - first.at) / 3)
  return {
    rssMb: Math.max(...looks.map(({ rssMb }) => rssMb)),
    privateMb: Math.max(...looks.map(({ privateMb }) => privateMb)),
    cpuPercent: (100 * (last.cpuMs - first.cpuMs)) / (last.at - first.at),
    children: Math.max(...looks.map(({ children }) => children)),
    slope: slopePerDay(settled.map(({ at, privateMb }) => ({ at, value: privateMb }))),
  }
}
