import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAgent, startHub, untilTrue } from '../pipeline/processes.ts'
import { pinnedRequest } from '../../hub/src/models/pinned-request.ts'
import { openSecureHub, type SecureHub, until } from '../enrolment/secure-hub.ts'
import { named, newFolder, openEnds } from './hubs.ts'
import { runDoctor } from './run-doctor.ts'

describe('beside a live hub and a live agent', () => {
  let hub: SecureHub
  beforeAll(async () => void (hub = await openSecureHub()), 90_000)
  afterAll(() => hub.close())

  const doctor = (server: string, ...args: string[]) =>
    runDoctor('agent', ['--json', '--config', join(hub.folder, server, 'agent.yaml'), ...args], {
      cwd: hub.folder,
    })

  /** As the hub's own commands ask it. */
  const health = async () => {
    const { address, secret, certificate } = JSON.parse(
      readFileSync(join(hub.dataFolder, 'hub.json'), 'utf8'),
    ) as { address: string; secret: string; certificate: string }
    const answer = await pinnedRequest(`${address}/api/v1/health`, {
      ...{ certificate, headers: { authorization: `Bearer ${secret}` }, timeoutMs: 10_000 },
    })
    return (await answer.json()) as { counters: { [name: string]: number } }
  }

  test('all is well, nothing is left out, and the agent keeps its connection', async () => {
    const { line } = await hub.token()
    expect((await hub.join('web1', line)).code).toBe(0)
    const agent = hub.startAgent('web1')
    await until('the agent is connected', () =>
      agent.said.some((text) => text.includes('connected to the hub')),
    )
    const status = join(hub.folder, 'web1', 'status.json')
    await until('its status says so', () =>
      readFileSync(status, 'utf8').includes('"connected":true'),
    )
    const before = (await health()).counters

    for (const _ of [1, 2]) {
      const { findings, code, ms } = await doctor('web1')
      expect(findings.filter(({ level }) => level !== 'ok')).toEqual([])
      expect(code).toBe(0)
      expect(ms).toBeLessThan(15_000)
      expect(findings.map(({ check }) => check)).toEqual([
        ...['settings', 'server name', 'service', 'connection', 'certificate', 'authority'],
        ...[
          'hub address',
          'hub name',
          'hub port',
          'hub certificate',
          'hub web port',
          'hub web certificate',
        ],
        ...[
          'enrolment',
          'clock',
          'contract',
          'state folder',
          'disk space',
          'spool',
          'proc',
          'processes',
          'readings',
        ],
      ])
      expect(named(findings, 'enrolment').found).toBe('the hub lets web1 in and hears it now')
    }
    const after = (await health()).counters
    expect(after.takeovers).toBe(before.takeovers)
    expect(agent.said.filter((text) => /no connection|reconnect/.test(text))).toEqual([])
    // What a second connection of that certificate does, whatever it calls itself: so the doctor must not make one.
    const second = await hub.connect('web1', { clientId: 'harbinger-doctor' })
    await until('the live agent is pushed off', () =>
      agent.said.some((text) => text.includes('no connection')),
    )
    second.end(true)
    await agent.stop()
  })

  test('a revoked agent is told when it was, and what to do', async () => {
    const { line } = await hub.token()
    await hub.join('web2', line)
    const agent = hub.startAgent('web2')
    await until('the agent is connected', () =>
      agent.said.some((text) => text.includes('connected to the hub')),
    )
    expect((await hub.command('agent', 'revoke', 'web2')).code).toBe(0)
    await until(
      'the agent is refused',
      () => agent.said.some((text) => text.includes('Not authorized')),
      40_000,
    )
    const { findings, code } = await doctor('web2')
    expect(code).toBe(1)
    expect(named(findings, 'enrolment')).toMatchObject({
      level: 'failed',
      found: expect.stringMatching(/^the agent of web2 was revoked at 20/),
      advice: expect.stringMatching(/audit log.*harbinger token create --allow-rejoin/),
    })
    expect(named(findings, 'connection')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('Not authorized'),
      advice: expect.stringContaining('"enrolment" says why'),
    })
    await agent.stop()
  })

  test('an agent that was copied to another machine is told that the other has joined since', async () => {
    const again = async () => (await hub.token({ rejoin: true })).line
    await hub.join('web3', await again())
    const copy = readFileSync(hub.identityFile('web3'))
    await hub.join('web3', await again())
    writeFileSync(hub.identityFile('web3'), copy)
    const { findings } = await doctor('web3')
    expect(named(findings, 'enrolment')).toMatchObject({
      level: 'failed',
      found: expect.stringContaining('has joined again since'),
      advice: expect.stringContaining('copied'),
    })
  })

  test.each([
    ['used up', /is used up/],
    ['revoked', /was revoked at/],
    ['unknown', /knows no such token/],
  ])(
    'a token that is %s: the doctor repeats what the hub said to the last try',
    async (kind, found) => {
      const server = `db-${kind.replace(' ', '-')}`
      const { line, id } = await hub.token()
      if (kind === 'used up') await hub.join('db0', line)
      if (kind === 'revoked') expect((await hub.command('token', 'revoke', id)).code).toBe(0)
      const tried = await hub.join(
        server,
        kind === 'unknown' ? line.replace(/hbt_\S{8}/, 'hbt_AAAAAAAA') : line,
      )
      expect(tried.code).not.toBe(0)
      writeFileSync(
        join(hub.folder, server, 'agent.yaml'),
        `server: ${server}\nhub: mqtts://localhost:${hub.mqttPort}\nstateDirectory: ${join(hub.folder, server)}\n`,
      )
      const { findings, stdout } = await doctor(server)
      expect(named(findings, 'certificate')).toMatchObject({
        level: 'failed',
        found: expect.stringMatching(
          new RegExp(
            `the last try to join, at 20.* at localhost:\\d+, ended with: the hub refuses: .*${found.source}`,
          ),
        ),
        advice: expect.stringContaining('harbinger token create makes a new one'),
      })
      expect(stdout).not.toContain('hbt_')
    },
  )

  test('the line to join, said to the doctor, checks the way and joins nothing', async () => {
    const { line } = await hub.token()
    const [, , url = '', , , , sha256 = ''] = line.split(' ')
    writeFileSync(join(hub.folder, 'new.yaml'), '')
    const { findings, code } = await runDoctor(
      'agent',
      ['--json', url, '--ca-sha256', sha256, '--config', join(hub.folder, 'new.yaml')],
      { cwd: hub.folder, env: { HARBINGER_SERVER: 'new1' } },
    )
    for (const check of ['hub web port', 'hub web certificate', 'clock', 'contract'])
      expect(named(findings, check).level).toBe('ok')
    expect(code).toBe(0)
  })
})

const ends = openEnds()
// A hub that is left behind keeps the process of the tests from ending.
afterAll(ends.close)

test('beside a hub and an agent in the clear, nobody is pushed off either', async () => {
  const folder = newFolder(ends)
  const hub = await startHub(join(folder, 'hub'))
  ends.add(() => hub.end())
  const url = `mqtt://127.0.0.1:${hub.mqttPort}`
  const agent = startAgent(folder, url)
  ends.add(() => agent.end())
  await agent.until('connected to the hub')
  await untilTrue('its status says so', () =>
    readFileSync(join(folder, 'status.json'), 'utf8').includes('"connected":true'),
  )
  const { address } = JSON.parse(readFileSync(join(folder, 'hub/hub.json'), 'utf8')) as {
    address: string
  }
  const env = {
    HARBINGER_SERVER: 'web1',
    HARBINGER_HUB: url,
    HARBINGER_STATE_DIRECTORY: folder,
    HARBINGER_INTERVAL_SECONDS: '1',
  }
  const { findings, code } = await runDoctor('agent', ['--json', address], { cwd: folder, env })
  expect(findings.filter(({ level }) => level === 'failed' || level === 'unknown')).toEqual([])
  expect(named(findings, 'broker').found).toContain('lets clients in')
  expect(code).toBe(0)
  const { counters } = (await hub.get('/health')) as { counters: { takeovers: number } }
  expect(counters.takeovers).toBe(0)
  expect(agent.said('no connection')).toBe(false)
})
