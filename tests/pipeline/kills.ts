import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openStores } from '../../hub/src/storage/stores.ts'
import {
  freePort,
  type Running,
  startAgent,
  startHub,
  startMosquitto,
  untilTrue,
} from './processes.ts'

export type Killed = {
  readonly kills: { readonly [victim: string]: number }
  /** Samples that the agent had on disk, and how many of them the hub does not have in the end. */
  readonly spooled: number
  readonly lost: readonly number[]
  readonly stored: number
  readonly doubles: number
}

/** The same sequence for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

/**
 * Kills agent, hub and Mosquitto at random while samples flow from one to the other, and then compares what the agent
 * had on disk with what the hub has.
 */
export async function killAtRandom(
  folder: string,
  { kills, seed }: { readonly kills: number; readonly seed: number },
): Promise<Killed> {
  const random = randomOf(seed)
  const state = join(folder, 'agent')
  const data = join(folder, 'hub')
  const own = join(folder, 'mosquitto')
  for (const path of [state, own]) mkdirSync(path)
  const port = await freePort()
  const url = `mqtt://127.0.0.1:${port}`
  const start: { readonly [victim: string]: () => Promise<Running> } = {
    agent: async () => startAgent(state, url),
    hub: () => startHub(data, { env: { HARBINGER_BROKER_URL: url } }),
    mosquitto: () =>
      startMosquitto(own, port, [`listener ${port} 127.0.0.1`, 'allow_anonymous true']),
  }
  const victims = ['agent', 'hub', 'mosquitto'] as const
  const running = new Map<string, Running>()
  const spooled = new Set<number>()
  const counts: { [victim: string]: number } = { agent: 0, hub: 0, mosquitto: 0 }
  const noteSpooled = (agent: Running | undefined) => {
    for (const { msg, upTo } of agent?.lines ?? []) if (msg === 'spooled') spooled.add(Number(upTo))
  }

  try {
    for (const victim of ['mosquitto', 'hub', 'agent']) running.set(victim, await start[victim]!())
    for (let i = 0; i < kills; i++) {
      // Within a start, within a replay, or in the middle of quiet.
      await pause(random() * 4_000)
      const victim = victims[Math.floor(random() * victims.length)]!
      counts[victim]!++
      await running.get(victim)!.end()
      if (victim === 'agent') noteSpooled(running.get('agent'))
      await pause(random() * 1_000)
      running.set(victim, await start[victim]!())
    }
    noteSpooled(running.get('agent'))

    const stores = openStores(data)
    const all = stores.db.prepare('SELECT seq FROM samples').pluck()
    const missing = () => {
      const stored = new Set(all.all() as number[])
      return [...spooled].filter((seq) => !stored.has(seq))
    }
    const end = performance.now() + 120_000
    await untilTrue(
      'it is decided',
      () => missing().length === 0 || performance.now() > end,
      150_000,
    )
    const lost = missing()
    await running.get('agent')!.end('SIGTERM')
    const rows = all.all() as number[]
    stores.close()
    return {
      kills: counts,
      spooled: spooled.size,
      lost,
      stored: rows.length,
      doubles: rows.length - new Set(rows).size,
    }
  } finally {
    for (const one of running.values()) await one.end()
  }
}
