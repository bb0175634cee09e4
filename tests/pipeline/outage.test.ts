import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../../agent/src/log.ts'
import { openSpool } from '../../agent/src/publish/spool.ts'
import { openStores } from '../../hub/src/storage/stores.ts'
import { freePort, type Running, startAgent, startHub, untilTrue } from './processes.ts'

let folder: string
const running: Running[] = []
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'harbinger-outage-'))))
afterEach(async () => {
  for (const one of running.splice(0)) await one.end()
  rmSync(folder, { recursive: true, force: true })
})
const started = <Process extends Running>(process: Process): Process => {
  running.push(process)
  return process
}

const day = 86_400_000
const first = 1_767_225_600

/** What an agent has on disk after a day without a hub: one sample every 10 s. */
async function spoolOfADay(stateDirectory: string, until: number): Promise<number> {
  const spool = openSpool(stateDirectory, {
    ...{ maxBytes: 64e6, maxAgeMs: 7 * day, maxInMemory: 10_000 },
    ...{ clock: { now: Date.now, monotonicMs: () => performance.now() }, log: silentLog },
  })
  const count = day / 10_000
  for (let i = 0; i < count; i++) {
    const [seq, at] = [first + i, until - day + i * 10_000]
    const m = { cpu_user_pct: i % 50, cpu_sys_pct: 2, cpu_iowait_pct: 1, mem_used_pct: 40.25 }
    const idle = { cpu_idle_pct: 97 - (i % 50) }
    spool.add({
      seq,
      at,
      json: JSON.stringify({ v: '1.0.0', seq, at, cores: 4, m: { ...m, ...idle } }),
    })
  }
  await spool.idle()
  await spool.close()
  writeFileSync(join(stateDirectory, 'seq'), `${first + count}\n`)
  return count
}

test('after a day without a hub everything arrives, once, within minutes, and live samples beside it', async () => {
  const state = join(folder, 'agent')
  const data = join(folder, 'hub')
  mkdirSync(state)
  const count = await spoolOfADay(state, Date.now())
  const port = await freePort()
  const agent = started(startAgent(state, `mqtt://127.0.0.1:${port}`))
  await agent.until('no connection to the hub')
  expect((await agent.until('samples of an earlier run')).waiting).toBe(count)

  const hub = started(await startHub(data, { mqttPort: port }))
  await agent.until('connected to the hub')
  const began = performance.now()
  let slowestMs = 0
  const stores = openStores(data)
  const rows = stores.db.prepare('SELECT count(*) FROM samples WHERE seq < ?').pluck()
  const newest = stores.db.prepare('SELECT max(at) FROM samples').pluck()
  await untilTrue('the day is stored', () => {
    const age = Date.now() - Number(newest.get() ?? Date.now())
    if (performance.now() - began > 5_000) slowestMs = Math.max(slowestMs, age)
    return rows.get(first + count) === count
  })
  const seconds = (performance.now() - began) / 1000
  const live = stores.db.prepare('SELECT count(*) FROM samples WHERE seq >= ?').pluck()
  await untilTrue('live samples are stored', () => (live.get(first + count) as number) >= 3)
  const doubles = stores.db
    .prepare('SELECT count(*) FROM (SELECT seq FROM samples GROUP BY seq HAVING count(*) > 1)')
    .pluck()
  expect(doubles.get()).toBe(0)
  stores.close()
  process.stdout.write(`a day of samples: caught up in ${seconds.toFixed(1)} s\n`)
  expect(seconds).toBeLessThan(600)
  expect(slowestMs).toBeLessThan(30_000)

  await agent.end('SIGTERM')
  const status = openSpool(state, {
    ...{ maxBytes: 64e6, maxAgeMs: 7 * day, maxInMemory: 10_000 },
    ...{ clock: { now: Date.now, monotonicMs: () => performance.now() }, log: silentLog },
  })
  expect(status.state()).toMatchObject({ samples: 0, dropped: 0 })
  await status.close()
}, 120_000)
