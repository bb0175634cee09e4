import { fork } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Device } from '@harbinger/model-training/onnx/device'
import type { Hub } from '../hub.ts'
import { openBenchHub } from './open-bench-hub.ts'
import { type BenchReport, conditions } from './report.ts'

/** Due to committed, in ms. */
const cycleBars: Readonly<Record<number, number>> = { 90: 500, 1000: 4000, 10_000: 25_000 }
const gpuBars: Readonly<Record<number, number>> = { ...cycleBars, 10_000: 1500 }
const loopBar = 50
const startBar = 10_000
const memoryBar = 500
const freshBar = 100

export type CycleBenchOptions = {
  readonly servers?: number
  readonly small?: boolean
  readonly seed?: number
  /** As forecast.device; default cpu. */
  readonly device?: Device | undefined
  /** False in a process that held another hub before: its memory would be in the figure. */
  readonly measuresMemory?: boolean
  /** As of openBenchHub. */
  readonly prepared?: string | undefined
  readonly now?: () => number
}

/**
 * A hub with eight days of stored history, its fleet sending from another process: how soon it forecasts after its
 * start, how long a cycle takes, how long one server's new forecast takes while cycles run, and its memory.
 */
export async function benchCycle({
  servers = 90,
  small = false,
  seed = 7,
  device: wanted = 'cpu',
  measuresMemory = true,
  prepared,
  now = Date.now,
}: CycleBenchOptions = {}): Promise<readonly BenchReport[]> {
  const n = small ? 10 : servers
  const barMs = (wanted === 'cpu' ? cycleBars : gpuBars)[servers] ?? 500
  const everySeconds = Math.max(2, Math.ceil((2 * barMs) / 1000))
  const cycles = small ? 2 : n > 90 ? 8 : 20
  const { hub, startMs, close } = await openBenchHub({
    fleet: { servers: n, seed },
    forecastEverySeconds: everySeconds,
    device: wanted,
    prepared,
    now,
  })
  await hub.untilForecast()
  const firstMs = startMs + hub.sources.health().lastCycle!.ms.total
  const fleet = await sendFleet(hub, n, seed)
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  try {
    const { totals, stages, peakRss } = await watch(hub, cycles, firstCycle(hub))
    loop.disable()
    const fresh = await askWhileRunning(hub, small ? 5 : 200)
    const { model, device, counters, lastCycle } = hub.sources.health()
    const at = conditions(
      { device, model: model?.id ?? 'baselines alone', seed, servers: n, small },
      now,
    )
    const loopMs = tenths(loop.percentile(99.9) / 1e6)
    const p95 = quantile(totals, 0.95)
    const report = (
      name: string,
      [figure, unit, bar]: readonly [number, string, string],
      ok: boolean,
      beside: BenchReport['beside'],
    ): BenchReport => ({
      ...{ name: `${name}-${servers}`, figure: Math.round(figure), unit, bar, ok },
      ...{ peer: null, conditions: at, ...(beside ? { beside } : {}) },
    })
    const reports = [
      report(
        'cycle',
        [p95, 'ms p95, due to committed', `≤ ${barMs}; event loop p99.9 ≤ ${loopBar}`],
        p95 <= barMs && loopMs <= loopBar,
        {
          ...{ p50Ms: Math.round(quantile(totals, 0.5)), eventLoopP999Ms: loopMs },
          ...{ forecast: lastCycle?.forecast, skipped: counters['cyclesSkipped'] },
          lastStages: stages.at(-1),
        },
      ),
      report('fresh', [fresh.p99, 'ms p99, one server', `≤ ${freshBar}`], fresh.p99 <= freshBar, {
        ...{ p50Ms: fresh.p50, asked: fresh.asked, duringACycle: fresh.during },
      }),
    ]
    const hasBar = servers === 1000
    if (hasBar) {
      reports.push(
        report('start', [firstMs, 'ms to first forecast', `≤ ${startBar}`], firstMs <= startBar, {
          openMs: Math.round(startMs),
        }),
      )
    }
    if (measuresMemory) {
      const bar = hasBar ? `≤ ${memoryBar}` : 'none'
      reports.push(report('memory', [peakRss, 'MB', bar], !hasBar || peakRss <= memoryBar, {}))
    }
    return reports
  } finally {
    // Killed, not asked: nothing of it is to be kept, and it would wait for a hub that is going.
    fleet.kill('SIGKILL')
    await close()
  }
}

const firstCycle = (hub: Hub): string | undefined => hub.sources.health().lastCycle?.at

async function sendFleet(hub: Hub, servers: number, seed: number) {
  const program = fileURLToPath(new URL('./send-fleet.ts', import.meta.url))
  const words = [`mqtt://127.0.0.1:${hub.mqttPort}`, String(servers), String(seed)]
  const child = fork(program, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  await once(child, 'message')
  return child
}

/** The next so many cycles, and the most memory seen meanwhile. */
async function watch(hub: Hub, cycles: number, before: string | undefined) {
  const totals: number[] = []
  const stages: Record<string, number>[] = []
  let seen = before
  let peakRss = 0
  while (totals.length < cycles) {
    await after(100)
    peakRss = Math.max(peakRss, process.memoryUsage.rss() / 1e6)
    const { lastCycle } = hub.sources.health()
    if (!lastCycle || lastCycle.at === seen) continue
    seen = lastCycle.at
    totals.push(lastCycle.ms.total)
    stages.push(lastCycle.ms)
  }
  return { totals: totals.sort((a, b) => a - b), stages, peakRss }
}

/** New forecasts of one server after the other, only while a cycle runs. */
async function askWhileRunning(hub: Hub, times: number) {
  const names = hub.sources.servers().map(({ name }) => name)
  const took: number[] = []
  let during = 0
  for (let i = 0; i < times; i++) {
    if (!hub.isForecasting()) void hub.forecastFleet()
    const began = performance.now()
    await hub.sources.forecastNow(names[(i * 37) % names.length]!)
    took.push(performance.now() - began)
    if (hub.isForecasting()) during++
  }
  took.sort((a, b) => a - b)
  return {
    ...{ p50: tenths(quantile(took, 0.5)), p99: tenths(quantile(took, 0.99)) },
    ...{ asked: times, during },
  }
}

const tenths = (x: number): number => Math.round(x * 10) / 10

const quantile = (sorted: readonly number[], level: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))]!
