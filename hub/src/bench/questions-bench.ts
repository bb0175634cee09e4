import { setTimeout as after } from 'node:timers/promises'
import type { Hub } from '../hub.ts'
import { openBenchHub } from './open-bench-hub.ts'
import { type BenchReport, conditions } from './report.ts'

const barMs = 300

/** How long "why" and "what if" take, asked over HTTP one after the other while forecast cycles follow each other. */
export async function benchQuestions({
  servers = 90,
  small = false,
  seed = 7,
  now = Date.now,
}: {
  readonly servers?: number
  readonly small?: boolean
  readonly seed?: number
  readonly now?: () => number
} = {}): Promise<readonly BenchReport[]> {
  const n = small ? 10 : servers
  const each = small ? 3 : 200
  // A cycle is due again as soon as there can be one: with 1,000 servers there always is one running.
  const { hub, close } = await openBenchHub({
    fleet: { servers: n, seed },
    forecastEverySeconds: 1,
    now,
  })
  try {
    await hub.untilForecast()
    const names = hub.sources.servers().map(({ name }) => name)
    const compared = await untilRead(hub)
    const took: { [question in keyof typeof questions]: number[] } = {
      explanation: [],
      'what-if': [],
    }
    let cycleMs = 0
    for (let i = 0; i < each; i++) {
      for (const question of ['explanation', 'what-if'] as const) {
        const began = performance.now()
        const answer = await questions[question](
          `${hub.address}/api/v1/servers/${names[(i * 7) % n]!}/${question}`,
        )
        await answer.arrayBuffer()
        took[question].push(performance.now() - began)
        if (!answer.ok) throw new Error(`${question} answered ${answer.status}`)
      }
      cycleMs = Math.max(cycleMs, hub.sources.health().lastCycle?.ms.total ?? 0)
    }
    const { model, device, counters } = hub.sources.health()
    return Object.entries(took).map(([question, ms]) => {
      const sorted = ms.toSorted((a, b) => a - b)
      const p95 = quantile(sorted, 0.95)
      return {
        name: `${question}-${servers}`,
        figure: Math.round(p95),
        unit: 'ms p95, asked to answered',
        bar: `≤ ${barMs}`,
        ok: p95 <= barMs,
        peer: null,
        conditions: conditions(
          { device, model: model?.id ?? 'baselines alone', seed, servers: n, small },
          now,
        ),
        beside: {
          p50Ms: Math.round(quantile(sorted, 0.5)),
          maxMs: Math.round(sorted.at(-1)!),
          questions: sorted.length,
          longestCycleMs: Math.round(cycleMs),
          cyclesLeftOut: counters['cyclesSkipped'],
          comparedEpisodes: compared,
        },
      }
    })
  } finally {
    await close()
  }
}

const questions = {
  explanation: (url: string) => fetch(url),
  'what-if': (url: string) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ changes: [{ metric: 'cpu_user_pct', multiply: 0.5 }] }),
    }),
}

/** Similar episodes are searched in the whole fleet only once its past is read; returns how many were compared. */
async function untilRead({ sources }: Pick<Hub, 'sources'>): Promise<number> {
  const one = new Map(sources.servers().map(({ name, profile }) => [profile, name]))
  let compared = 0
  for (const name of one.values()) {
    for (;;) {
      const { searched } = (await sources.explanation(name))!.similar
      compared = Math.max(compared, searched.compared)
      if (searched.servers === searched.ofServers) break
      await after(1000)
    }
  }
  return compared
}

const quantile = (sorted: readonly number[], level: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))]!
