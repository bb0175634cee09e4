import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as after } from 'node:timers/promises'
import { publishFleet } from '../commands/simulate-publish.ts'
import { openBenchHub } from './open-bench-hub.ts'
import { type BenchReport, conditions } from './report.ts'

const bars: Readonly<Record<number, number>> = { 90: 500, 1000: 4000, 10_000: 25_000 }

/** From the moment a forecast cycle is due to its commit, while every server goes on sending. */
export async function benchCycle({
  servers = 90,
  small = false,
  seed = 7,
  now = Date.now,
}: {
  readonly servers?: number
  readonly small?: boolean
  readonly seed?: number
  readonly now?: () => number
} = {}): Promise<BenchReport> {
  const n = small ? 10 : servers
  const barMs = bars[servers] ?? 500
  const everySeconds = Math.max(2, Math.ceil((2 * barMs) / 1000))
  const cycles = small ? 2 : n > 90 ? 8 : 20
  const { hub, startMs, close } = await openBenchHub({
    fleet: { servers: n, seed },
    forecastEverySeconds: everySeconds,
    now,
  })
  const fleet = await publishFleet({
    ...{ hub: `mqtt://127.0.0.1:${hub.mqttPort}`, servers: n, seed, speed: 1, now },
    ...{ scenario: undefined, intervalMs: 10_000, shared: true },
  })
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  try {
    const totals: number[] = []
    const stages: Record<string, number>[] = []
    let seen = hub.sources.health().lastCycle?.at
    while (totals.length < cycles) {
      await after(100)
      const { lastCycle } = hub.sources.health()
      if (!lastCycle || lastCycle.at === seen) continue
      seen = lastCycle.at
      totals.push(lastCycle.ms.total)
      stages.push(lastCycle.ms)
    }
    loop.disable()
    totals.sort((a, b) => a - b)
    const { model, device, counters, lastCycle } = hub.sources.health()
    const p95 = quantile(totals, 0.95)
    return {
      name: `cycle-${servers}`,
      figure: Math.round(p95),
      unit: 'ms p95, due to committed',
      bar: `≤ ${barMs}; event loop p99.9 ≤ 50`,
      ok: p95 <= barMs && loop.percentile(99.9) / 1e6 <= 50,
      peer: null,
      conditions: conditions(
        { device, model: model?.id ?? 'baselines alone', seed, servers: n, small },
        now,
      ),
      beside: {
        p50Ms: Math.round(quantile(totals, 0.5)),
        eventLoopP999Ms: Math.round(loop.percentile(99.9) / 1e5) / 10,
        rssMegabytes: Math.round(process.memoryUsage.rss() / 1e6),
        startMs: Math.round(startMs),
        forecast: lastCycle?.forecast,
        skipped: counters.cyclesSkipped,
        lastStages: stages.at(-1),
      },
    }
  } finally {
    await fleet.close()
    await close()
  }
}

const quantile = (sorted: readonly number[], level: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))]!
