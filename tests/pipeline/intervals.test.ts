import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerDetail } from '@harbinger/shared/api'
import type { IntervalEstimate, IntervalRule, Intervals } from '@harbinger/shared/intervals-api'
import { agentReport, reportText } from '../../agent/src/commands/status.ts'
import { openStores } from '../../hub/src/storage/stores.ts'
import { freePort, type Running, startAgent, startHub, untilTrue } from './processes.ts'

let folder: string
const running: Running[] = []
const started = <Process extends Running>(process: Process): Process => {
  running.push(process)
  return process
}
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'harbinger-intervals-'))))
afterAll(async () => {
  for (const one of running) await one.end()
  rmSync(folder, { recursive: true, force: true })
})

test('an agent follows what the hub asks for within one interval, loses nothing, and goes back', async () => {
  const data = join(folder, 'hub')
  const state = join(folder, 'agent')
  mkdirSync(state)
  const mqttPort = await freePort()
  let hub = started(await startHub(data, { mqttPort }))
  const env = { HARBINGER_INTERVAL_SECONDS: '2', HARBINGER_TAGS: 'berlin' }
  const run = () => started(startAgent(state, `mqtt://127.0.0.1:${mqttPort}`, env))
  let agent = run()
  const stores = openStores(data)
  const all = stores.db.prepare<[], { seq: number; at: number }>(
    'SELECT seq, at FROM samples ORDER BY seq',
  )
  const stored = (n: number) =>
    untilTrue(
      `${n} more samples`,
      (
        (enough) => () =>
          all.all().length >= enough
      )(all.all().length + n),
    )
  const agentSays = async () =>
    ((await hub.get('/servers/web1')) as unknown as ServerDetail).agent.interval
  const says = (text: string) => untilTrue(`status says ${text}`, () => status().includes(text))
  const status = () => reportText(agentReport({ stateDirectory: state }), state)

  await stored(2)
  expect(await agentSays()).toEqual({ seconds: 2, from: 'own', own: 2, rule: null })
  expect(status()).toContain('interval   2 s, from its own configuration')

  // What it costs is measured, and told before anything is changed.
  const query = 'kind=tag&target=berlin'
  const estimate = (await hub.get(
    `/intervals/estimate?${query}&seconds=1`,
  )) as unknown as IntervalEstimate
  expect(estimate).toMatchObject({ servers: 1, touched: 1, measured: 1, decidedByOthers: 0 })
  expect(estimate.bytesPerDay!.now).toBeGreaterThan(43_200 * 150)
  expect(estimate.bytesPerDay!.now).toBeLessThan(43_200 * 800)
  expect(estimate.bytesPerDay!.then / estimate.bytesPerDay!.now).toBeCloseTo(2, 1)
  expect(agent.said('the hub asks for an interval')).toBe(false)

  const asked = performance.now()
  const rule = { kind: 'tag', target: 'berlin', seconds: 1 }
  expect(await hub.change<IntervalRule>('PUT', '/intervals', rule)).toMatchObject({ decides: 1 })
  expect(await agent.until('the hub asks for an interval')).toMatchObject({ from: 2, to: 1 })
  expect(performance.now() - asked).toBeLessThan(2_000)
  await stored(3)
  const changedAt = all.all().length
  expect(await agentSays()).toEqual({
    ...{ seconds: 1, from: 'hub', own: 2, rule: { kind: 'tag', target: 'berlin', seconds: 1 } },
  })
  await says('interval   1 s, asked for by the hub (own configuration: 2 s)')
  expect((await hub.get('/intervals')) as unknown as Intervals).toMatchObject({
    rules: [{ target: 'berlin', servers: 1, decides: 1, pending: 0, setBy: expect.anything() }],
    withoutRule: 0,
  })

  // Over a hub that was killed, which tells again; and over a restart of the agent, by what the broker retains and by
  // nothing on its disk.
  await hub.end()
  await agent.until('no connection to the hub')
  hub = started(await startHub(data, { mqttPort }))
  await agent.until('connected to the hub', 2)
  await stored(2)
  expect(agent.said('the hub asks for no interval')).toBe(false)
  await agent.end('SIGTERM')
  agent = run()
  await agent.until('the hub asks for an interval')
  await untilTrue('the agent has said so anew', async () => (await agentSays()).from === 'hub')

  await hub.change('DELETE', `/intervals?${query}`)
  expect(await agent.until('the hub asks for no interval')).toMatchObject({ from: 1, to: 2 })
  await says('interval   2 s, from its own configuration')
  await stored(2)
  expect(await agentSays()).toMatchObject({ seconds: 2, from: 'own', rule: null })
  await agent.end('SIGTERM')
  await untilTrue('everything is acknowledged', () => {
    const seqs = all.all().map(({ seq }) => seq)
    return seqs.length === seqs.at(-1)! - seqs[0]! + 1
  })
  await hub.end('SIGTERM')

  const rows = all.all()
  stores.close()
  expect(new Set(rows.map(({ seq }) => seq)).size).toBe(rows.length)
  // On one grid before and after: whole seconds apart, whatever a slow machine adds.
  const gaps = rows.slice(1, changedAt).map(({ at }, i) => at - rows[i]!.at)
  for (const gap of gaps) expect(Math.abs(gap - 1000 * Math.round(gap / 1000))).toBeLessThan(400)
  expect(Math.min(...gaps)).toBeGreaterThan(600)
}, 90_000)

test('rules that are none are refused with what was expected, and leave a line in the audit log', async () => {
  const hub = started(await startHub(join(folder, 'refusing')))
  const put = (rule: object) => hub.change('PUT', '/intervals', rule)
  for (const rule of [
    { kind: 'tag', target: 'berlin', seconds: 0 },
    { kind: 'tag', target: 'berlin', seconds: 301 },
    { kind: 'tag', target: '', seconds: 10 },
    { kind: 'profile', target: 'desktop', seconds: 10 },
    { kind: 'server', target: 'a b', seconds: 10 },
    { kind: 'rack', target: 'berlin', seconds: 10 },
  ]) {
    await expect(put(rule), JSON.stringify(rule)).rejects.toThrow('invalid_request')
  }
  await expect(hub.change('DELETE', '/intervals?kind=tag&target=paris')).rejects.toThrow(
    'there is no rule for tag \\"paris\\"',
  )
  await put({ kind: 'tag', target: 'berlin', seconds: 10 })
  const stores = openStores(join(folder, 'refusing'))
  // Written after the answer.
  const last = () => stores.people.audit.page({ limit: 1 })[0]
  await untilTrue('it stands in the audit log', () => last()?.outcome === 'done')
  expect(last()).toMatchObject({
    ...{ action: 'PUT /api/v1/intervals', target: 'tag berlin: 10 s' },
  })
  stores.close()
  await hub.end()
}, 60_000)
