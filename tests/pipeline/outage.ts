import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLog } from '../../agent/src/log.ts'
import { openSpool } from '../../agent/src/publish/spool.ts'
import { openStores } from '../../hub/src/storage/stores.ts'
import { freePort, type Running, startAgent, startHub, untilTrue } from './processes.ts'

const day = 86_400_000
const first = 1_767_225_600

export const spoolIn = (stateDirectory: string) =>
  openSpool(stateDirectory, {
    ...{ maxBytes: 64e6, maxAgeMs: 7 * day, maxInMemory: 10_000 },
    ...{ clock: { now: Date.now, monotonicMs: () => performance.now() }, log: silentLog },
  })

/** What an agent has on disk after a day without a hub: one sample every 10 s. */
async function spoolOfADay(stateDirectory: string, until: number): Promise<number> {
  const spool = spoolIn(stateDirectory)
  const count = day / 10_000
  for (let i = 0; i < count; i++) {
    const [seq, at] = [first + i, until - day + i * 10_000]
    const m = { cpu_user_pct: i % 50, cpu_sys_pct: 2, cpu_iowait_pct: 1, mem_used_pct: 40.25 }
    const idle = { cpu_idle_pct: 97 - (i % 50) }
    const sample = { v: '1.0.0', seq, at, cores: 4, m: { ...m, ...idle } }
    spool.add({ seq, at, json: JSON.stringify(sample) })
  }
  await spool.idle()
  await spool.close()
  writeFileSync(join(stateDirectory, 'seq'), `${first + count}\n`)
  return count
}

/** An agent that had no hub for a day, and then one: how long until the hub has everything, and what it has. */
export async function outageOfADay(folder: string) {
  const state = join(folder, 'agent')
  const data = join(folder, 'hub')
  mkdirSync(state)
  const count = await spoolOfADay(state, Date.now())
  const port = await freePort()
  const running: Running[] = []
  try {
    const agent = startAgent(state, `mqtt://127.0.0.1:${port}`)
    running.push(agent)
    const waiting = Number((await agent.until('samples of an earlier run')).waiting)
    await agent.until('no connection to the hub')
    running.push(await startHub(data, { mqttPort: port }))
    await agent.until('connected to the hub')

    const began = performance.now()
    const stores = openStores(data)
    const ask = (sql: string) => {
      const statement = stores.db.prepare(sql).pluck()
      return () => Number(statement.get())
    }
    const old = ask(`SELECT count(*) FROM samples WHERE seq < ${first + count}`)
    const live = ask(`SELECT count(*) FROM samples WHERE seq >= ${first + count}`)
    const liveBefore = live()
    await untilTrue('the day is stored', () => old() === count, 600_000)
    const seconds = (performance.now() - began) / 1000
    const liveMeanwhile = live() - liveBefore
    await untilTrue('live samples are stored', () => live() >= 3)
    const doubles = ask('SELECT count(*) - count(DISTINCT seq) FROM samples')()
    const lost = count - old()
    stores.close()
    await agent.end('SIGTERM')
    return { count, waiting, seconds, liveMeanwhile, doubles, lost, state }
  } finally {
    for (const one of running) await one.end()
  }
}
