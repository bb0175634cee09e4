import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openBenchHub } from './open-bench-hub.ts'
import { type BenchReport, conditions } from './report.ts'

const bar = 5000

/** How many samples a second a hub stores and acknowledges while everything is sent at once; nothing may be lost. */
export async function benchIngest({
  small = false,
  now = Date.now,
}: { readonly small?: boolean; readonly now?: () => number } = {}): Promise<BenchReport> {
  const servers = small ? 50 : 1000
  const each = small ? 10 : 100
  const { hub, close } = await openBenchHub({ now })
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  try {
    const child = fork(
      fileURLToPath(new URL('./load-generator.ts', import.meta.url)),
      [`mqtt://127.0.0.1:${hub.mqttPort}`, String(servers), String(each)],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    )
    const gone = once(child, 'exit')
    const [{ sent, ms }] = (await once(child, 'message')) as [{ sent: number; ms: number }]
    loop.disable()
    await gone
    const { counters } = hub.sources.health()
    const lost = sent - counters.samplesStored!
    const figure = Math.round((1000 * sent) / ms)
    return {
      name: 'ingest-burst',
      figure,
      unit: 'samples/s',
      bar: `≥ ${bar}, nothing lost`,
      ok: figure >= bar && lost === 0,
      peer: null,
      conditions: conditions({ device: 'cpu', seed: null, servers, sent, small }, now),
      beside: { lost, eventLoopP999Ms: round(loop.percentile(99.9) / 1e6) },
    }
  } finally {
    await close()
  }
}

const round = (x: number): number => Math.round(x * 10) / 10
