import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectAsync } from 'mqtt'
import type { ServerDetail } from '@harbinger/shared/api'
import { openStores } from '../../hub/src/storage/stores.ts'
import { runHub } from '../enrolment/secure-hub.ts'
import {
  freePort,
  missing,
  noMosquitto,
  type Running,
  startAgent,
  startHub,
  startMosquitto,
  untilTrue,
} from './processes.ts'

const statusOf = () =>
  JSON.stringify({ state: 'online', reason: 'started', at: Date.now(), v: '1.0.0' })

const reason = noMosquitto() ?? missing('openssl', ['version'])
if (reason) {
  test(`the external broker is not tested: ${reason}`, ({ skip }) => skip(reason))
}

type Health = {
  broker: { kind: string; address: string; connected: boolean; reason: string | null }
  problems: string[]
  counters: { samplesStored: number }
}

describe.skipIf(reason !== undefined)('Mosquitto with TLS, client certificates and an ACL', () => {
  const running: Running[] = []
  let folder: string
  let ports: { secure: number; agents: number }
  const path = (name: string) => join(folder, name)
  const started = <Process extends Running>(process: Process): Process => {
    running.push(process)
    return process
  }

  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })

  function certificate(name: string, subject: string, extension = '') {
    const request = ['-newkey', 'rsa:2048', '-nodes', '-keyout', path(`${name}.key`)]
    openssl('req', ...request, '-subj', subject, '-out', path(`${name}.csr`))
    writeFileSync(path(`${name}.ext`), extension)
    const signed = ['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-CAcreateserial']
    openssl(
      'x509',
      '-req',
      '-in',
      path(`${name}.csr`),
      ...signed,
      '-days',
      '2',
      ...[...['-extfile', path(`${name}.ext`), '-out', path(`${name}.crt`)]],
    )
  }

  /** docs/external-broker.md shows these lines. */
  const acl = `user harbinger-hub
topic read harbinger/v1/+/samples
topic read harbinger/v1/+/backlog
topic read harbinger/v1/+/status
topic read harbinger/v1/+/inventory
topic write harbinger/v1/+/ack
topic write harbinger/v1/+/config
topic write harbinger/v1/+/alert

pattern write harbinger/v1/%c/samples
pattern write harbinger/v1/%c/backlog
pattern write harbinger/v1/%c/status
pattern write harbinger/v1/%c/inventory
pattern read harbinger/v1/%c/ack
pattern read harbinger/v1/%c/config
`

  const startBroker = async () =>
    started(
      await startMosquitto(folder, ports.agents, [
        'per_listener_settings true',
        `listener ${ports.secure} 127.0.0.1`,
        ...['cafile ca.crt', 'certfile broker.crt', 'keyfile broker.key'].map((line) =>
          line.replace(' ', ` ${folder}/`),
        ),
        ...['require_certificate true', 'tls_version tlsv1.2', 'allow_anonymous false'],
        ...[`password_file ${path('passwords')}`, `acl_file ${path('acl')}`],
        `listener ${ports.agents} 127.0.0.1`,
        ...['allow_anonymous true', `acl_file ${path('acl')}`],
        'log_type error',
      ]),
    )

  const hubEnv = (more: { [name: string]: string } = {}) => ({
    HARBINGER_BROKER_URL: `mqtts://127.0.0.1:${ports.secure}`,
    HARBINGER_BROKER_CA_FILE: path('ca.crt'),
    HARBINGER_BROKER_CERT_FILE: path('hub.crt'),
    HARBINGER_BROKER_KEY_FILE: path('hub.key'),
    HARBINGER_BROKER_USERNAME: 'harbinger-hub',
    HARBINGER_BROKER_PASSWORD_FILE: path('password'),
    ...more,
  })

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'harbinger-mosquitto-'))
    // Mosquitto gives up root before it reads them.
    chmodSync(folder, 0o755)
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', path('ca.key')],
      ...['-subj', '/CN=a broker of somebody else', '-days', '2', '-out', path('ca.crt')],
    )
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', path('other.key')],
      ...['-subj', '/CN=nobody', '-days', '2', '-out', path('other-ca.crt')],
    )
    certificate('broker', '/CN=127.0.0.1', 'subjectAltName=IP:127.0.0.1')
    certificate('hub', '/CN=harbinger-hub')
    writeFileSync(path('password'), 'a long secret\n')
    execFileSync('mosquitto_passwd', [
      '-b',
      '-c',
      path('passwords'),
      'harbinger-hub',
      'a long secret',
    ])
    writeFileSync(path('acl'), acl)
    for (const file of ['broker.key', 'broker.crt', 'ca.crt', 'passwords', 'acl']) {
      chmodSync(path(file), 0o644)
    }
    ports = { secure: await freePort(), agents: await freePort() }
    mkdirSync(path('agent'))
  })
  afterAll(async () => {
    for (const one of running) await one.end()
    rmSync(folder, { recursive: true, force: true })
  })

  test('carries samples, says so in health, and is found again after a restart', async () => {
    let broker = await startBroker()
    const hub = started(await startHub(path('hub'), { env: hubEnv() }))
    const health = async () => (await hub.get('/health')) as unknown as Health
    await hub.until('connected to the broker')
    expect((await health()).broker).toMatchObject({
      kind: 'external',
      address: `mqtts://127.0.0.1:${ports.secure}`,
      connected: true,
      reason: null,
    })
    const agent = started(startAgent(path('agent'), `mqtt://127.0.0.1:${ports.agents}`))
    await untilTrue('samples arrive', async () => (await health()).counters.samplesStored >= 2)

    await broker.end()
    await untilTrue('health says so', async () => !(await health()).broker.connected)
    expect((await health()).problems).toContainEqual(expect.stringContaining('no agent is heard'))
    const spooledAt = () => agent.lines.filter(({ msg }) => msg === 'spooled').length
    const before = spooledAt()
    await untilTrue('the agent goes on', () => spooledAt() >= before + 2)
    broker = await startBroker()
    await hub.until('connected to the broker', 2)
    await agent.until('connected to the hub', 2)

    const spooled = () =>
      agent.lines.filter(({ msg }) => msg === 'spooled').map(({ upTo }) => Number(upTo))
    const stores = openStores(path('hub'))
    const rows = stores.db.prepare('SELECT seq FROM samples ORDER BY seq').pluck()
    const owed = spooled()
    await untilTrue('everything is stored', () => {
      const stored = new Set(rows.all() as number[])
      return owed.every((seq) => stored.has(seq))
    })
    const seqs = rows.all() as number[]
    expect(new Set(seqs).size).toBe(seqs.length)
    stores.close()

    // Nothing is waited for that the hub has acknowledged through the broker.
    await agent.end('SIGTERM')
    await hub.end('SIGTERM')
    expect(JSON.stringify(hub.lines)).not.toContain('a long secret')
    await broker.end()
  }, 90_000)

  test('retains intervals for agents, and takes back what was removed while the hub was away', async () => {
    const broker = await startBroker()
    const data = path('hub-intervals')
    const command = (...args: string[]) => runHub(['interval', ...args, '--data', data], {})
    let hub = started(await startHub(data, { env: hubEnv() }))
    await hub.until('connected to the broker')
    mkdirSync(path('agent-intervals'))
    const env = { HARBINGER_SERVER: 'web2', HARBINGER_INTERVAL_SECONDS: '2' }
    const url = `mqtt://127.0.0.1:${ports.agents}`
    const agent = started(startAgent(path('agent-intervals'), url, env))
    const seconds = async () =>
      ((await hub.get('/servers/web2')) as unknown as ServerDetail).agent?.interval
    await untilTrue('the hub knows the agent', async () => (await seconds())?.own === 2)

    const { stdout } = await command('set', 'server', 'web2', '1')
    expect(stdout).toContain('server web2: 1 s\n1 server')
    await agent.until('the hub asks for an interval')
    await untilTrue('the agent says so', async () => (await seconds())?.from === 'hub')

    // Nobody else reads it, and nobody else writes it.
    const other = await connectAsync(url, { clientId: 'web3', reconnectPeriod: 0 })
    const heard: string[] = []
    other.on('message', (name) => void heard.push(name))
    // A broker may refuse it, or grant it and send nothing.
    await other.subscribeAsync('harbinger/v1/web2/config', { qos: 1 }).catch(() => {})
    await other.subscribeAsync('harbinger/v1/web3/config')
    for (const server of ['web2', 'web3']) {
      const name = `harbinger/v1/${server}/config`
      await other.publishAsync(name, '{"intervalSeconds":300}', { qos: 1, retain: true })
    }
    // Answered in order: what is retained for web2 would have come before this.
    expect((await command('set', 'server', 'web3', '7')).code).toBe(0)
    await other.publishAsync('harbinger/v1/web3/status', statusOf(), { qos: 1 })
    await untilTrue('web3 is told', () => heard.length > 0)
    expect(heard).toEqual(['harbinger/v1/web3/config'])
    await other.endAsync()
    expect(agent.lines.filter(({ to }) => to === 300)).toEqual([])

    await hub.end()
    expect((await command('remove', 'server', 'web2')).stdout).toContain('the hub does not run')
    hub = started(await startHub(data, { env: hubEnv() }))
    await agent.until('the hub asks for no interval')
    await untilTrue('the agent says so', async () => (await seconds())?.from === 'own')
    await agent.end('SIGTERM')
    await hub.end()
    await broker.end()
  }, 90_000)

  test.each([
    [
      'is signed by somebody else',
      { HARBINGER_BROKER_CA_FILE: 'other-ca.crt' },
      /self.signed|certificate/,
    ],
    [
      'does not know the password',
      { HARBINGER_BROKER_PASSWORD_FILE: 'wrong' },
      /[Nn]ot authorized/,
    ],
  ])(
    'is not spoken to when it %s, and health says why',
    async (_, files, why) => {
      writeFileSync(path('wrong'), 'guessed')
      const broker = await startBroker()
      const more = Object.fromEntries(Object.entries(files).map(([key, file]) => [key, path(file)]))
      const hub = started(await startHub(path('hub-refused'), { env: hubEnv(more) }))
      await untilTrue('the reason is known', async () => {
        const health = (await hub.get('/health')) as unknown as Health
        return !health.broker.connected && why.test(health.broker.reason ?? '')
      })
      await hub.end()
      await broker.end()
    },
    60_000,
  )
})
