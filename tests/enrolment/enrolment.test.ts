import { readFileSync, statSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, createServer, type ConnectionOptions } from 'node:tls'
import type { MadeToken } from '@harbinger/shared/enrolment-api'
import { topic } from '@harbinger/shared/topics'
import type { MqttClient } from 'mqtt'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { signingRequest, newKey } from '../../agent/src/join/signing-request.ts'
import { openAuthority } from '../../hub/src/identity/authority.ts'
import { openSecureHub, type SecureHub, until } from './secure-hub.ts'

// Each command is a process of its own, which two busy cores take seconds to start.
vi.setConfig({ testTimeout: 60_000 })

let hub: SecureHub
beforeAll(async () => {
  hub = await openSecureHub()
  const token = await hub.token({ uses: 10, note: 'the tests' })
  for (const server of ['a1', 'b1']) {
    const joined = await hub.join(server, token.line)
    expect(joined.stderr).toBe('')
  }
}, 90_000)
afterAll(() => hub?.close())

type Server = { lastSeen: string | null; profile: string; tags: string[]; agent: object }
const seen = async (server: string) => {
  const { status, body } = await hub.ask<Server>(`/servers/${server}`)
  return status === 200 && body.lastSeen !== null && body
}
const sampleOf = (seq: number) =>
  JSON.stringify({ v: '1.0.0', seq, at: Date.now(), m: { mem_used_pct: 40 } })
const stateOf = async (id: string) =>
  (await hub.ask<{ tokens: { id: string; state: string }[] }>('/tokens')).body.tokens.find(
    (token) => token.id === id,
  )?.state
const uses = async (id: string) =>
  (await hub.ask<{ tokens: { id: string; uses: number }[] }>('/tokens')).body.tokens.find(
    (token) => token.id === id,
  )?.uses

/** How a connection attempt ends: 'secure', or the code of the error. */
const handshake = (port: number, options: ConnectionOptions = {}): Promise<string> =>
  new Promise((resolve) => {
    const socket = connectTls({
      host: '127.0.0.1',
      servername: 'localhost',
      port,
      ca: hub.ca,
      ...options,
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.once('close', () => resolve('closed'))
    // With TLS 1.3 the refusal of a client certificate arrives after the client's handshake is through.
    socket.once('secureConnect', () =>
      setTimeout(() => {
        resolve('secure')
        socket.destroy()
      }, 300),
    )
  })

/** What the hub grants of each topic: 128 is a refusal (MQTT 3.1.1, 3.9.3). */
const subscribe = (client: MqttClient, topics: string[]): Promise<number[]> =>
  new Promise((resolve) =>
    client.subscribe(topics, (_error, _granted, packet) =>
      resolve((packet?.granted ?? []) as number[]),
    ),
  )

describe('joining', () => {
  test('one line makes a server heard: key, certificate, settings, and its samples arrive', async () => {
    const token = await hub.token({ profile: 'database', tags: ['berlin', 'oracle'] })
    expect(token.line).toMatch(
      /^harbinger-agent join https:\/\/localhost:\d+ --token hbt_\S+ --ca-sha256 [0-9a-f]{64}$/,
    )
    const { stdout, stderr } = await hub.join('db-7', token.line)
    expect(stderr).toBe('')
    expect(stdout).toContain('db-7 has joined https://localhost')
    expect(statSync(hub.identityFile('db-7')).mode & 0o777).toBe(0o600)
    const agent = hub.startAgent('db-7')
    const server = await until('a sample of db-7', () => seen('db-7'))
    expect(server).toMatchObject({ profile: 'database', tags: ['berlin', 'oracle'] })
    await agent.stop()
  })

  test('the keys of the hub are for its user alone, and the database holds no token', async () => {
    // Made on the command line, while the hub runs.
    const made = await hub.command(
      ...['token', 'create', '--expires', '30m', '--uses', '3', '--note', 'racks', '--json'],
    )
    const { token, line } = JSON.parse(made.stdout) as MadeToken
    expect(line).toBe((await hub.token()).line.replace(/hbt_\S+/, token))
    expect((await hub.command('token', 'list')).stdout).toMatch(/usable\s+0 of 3 used .*racks/)
    for (const file of ['ca-key.pem', 'server.pem']) {
      expect(statSync(join(hub.dataFolder, 'tls', file)).mode & 0o777, file).toBe(0o600)
    }
    // Base64url has underscores of its own: all that follows the second one.
    const secret = /^hbt_[^_]+_(.+)$/.exec(token)![1]!
    expect(secret.length).toBeGreaterThan(20)
    for (const file of ['harbinger.db', 'harbinger.db-wal']) {
      expect(readFileSync(join(hub.dataFolder, file)).includes(secret), file).toBe(false)
    }
    expect(hub.lines.join('\n')).not.toContain(secret)
  })

  test('a hub with another fingerprint is told nothing', async () => {
    const authority = await openAuthority({ folder: undefined, now: Date.now })
    const { key, certificate } = await authority.signServer(['localhost'], 1)
    let heard = ''
    const rogue = createServer({ key, cert: certificate + authority.certificate }, (socket) => {
      socket.on('data', (chunk) => (heard += String(chunk)))
      socket.on('error', () => {})
    })
    await new Promise<void>((resolve) => rogue.listen(0, '127.0.0.1', resolve))
    const token = await hub.token()
    const { port } = rogue.address() as { port: number }
    const line = token.line.replace(`:${hub.httpPort} `, `:${port} `)
    const { code, stderr } = await hub.join('victim', line)
    rogue.close()
    expect(code).toBe(1)
    expect(stderr).toContain('is not the hub of this line')
    expect(stderr).toContain('Nothing secret was sent')
    expect(heard).toBe('')
    expect(await uses(token.id)).toBe(0)
  })

  test('without a fingerprint only what the system trusts is believed', async () => {
    const token = await hub.token()
    const line = token.line.replace(/ --ca-sha256.*/, '')
    const { code, stderr } = await hub.join('victim', line)
    expect(code).toBe(1)
    expect(stderr).toContain('could not prove who it is')
    expect(await uses(token.id)).toBe(0)
  })

  test('tokens that are expired, used up, revoked or unknown are refused in words', async () => {
    const refused = async (server: string, line: string, words: string) => {
      const { code, stderr } = await hub.join(server, line)
      expect(code).toBe(1)
      expect(stderr).toContain(words)
    }
    const once = await hub.token()
    expect((await hub.join('once-1', once.line)).stderr).toBe('')
    await refused('once-2', once.line, `token ${once.id} is used up: it was made for 1 server`)

    const made = await hub.token({ hours: 0.0001 })
    await until('it expires', async () => (await stateOf(made.id)) === 'expired')
    await refused('late-1', made.line, `token ${made.id} expired at`)

    const revoked = await hub.token({ uses: 5 })
    expect((await hub.command('token', 'revoke', revoked.id)).stdout).toContain('is revoked')
    await refused('late-2', revoked.line, `token ${revoked.id} was revoked at`)

    const unknown = once.line.replace(/hbt_\S+/, `hbt_aaaaaaaa_${'A'.repeat(43)}`)
    await refused('late-3', unknown, 'the hub knows no such token')
  })

  test('a name that is enrolled is refused until an admin allows it; the old certificate ends then', async () => {
    const token = await hub.token({ uses: 2 })
    expect((await hub.join('twin', token.line)).code).toBe(0)
    const old = await hub.connect('twin')
    const before = readFileSync(hub.identityFile('twin'), 'utf8')
    const refused = await hub.join('TWIN', token.line)
    expect(refused.stderr).toContain('a server named twin is enrolled already')
    const gone = new Promise<void>((resolve) => old.once('close', () => resolve()))
    await hub.command('agent', 'allow-rejoin', 'twin')
    expect((await hub.join('twin', token.line)).stderr).toBe('')
    await gone
    await expect(hub.connect('twin', { key: before, cert: before })).rejects.toThrow(
      'Not authorized',
    )
    const now = await hub.connect('twin')
    expect(now.connected).toBe(true)
  })

  test('a server that did not hear the answer asks again with its key, and has joined once', async () => {
    const token = await hub.token()
    const request = signingRequest(newKey(), 'again')
    const asked = { token: token.token, server: 'again', request }
    expect((await hub.ask('/enroll', asked)).status).toBe(200)
    expect((await hub.ask('/enroll', asked)).status).toBe(200)
    expect(await uses(token.id)).toBe(1)
    const other = { ...asked, request: signingRequest(newKey(), 'again') }
    expect((await hub.ask('/enroll', other)).status).toBe(403)
  })

  test('more than a signing request is not read', async () => {
    const asked = { token: 'x', server: 'big', request: 'x'.repeat(64 * 1024) }
    expect((await hub.ask('/enroll', asked)).status).toBe(413)
  })
})

describe('a certificate', () => {
  test('publishes under its own name alone', async () => {
    const client = await hub.connect('a1')
    await client.publishAsync(topic('b1', 'samples'), sampleOf(1), { qos: 1 })
    await client.publishAsync(topic('a1', 'samples'), sampleOf(1), { qos: 1 })
    await until('a sample of a1', () => seen('a1'))
    const { body } = await hub.ask<{ counters: Record<string, number> }>('/health')
    expect(body.counters['foreignTopics']).toBe(1)
    expect((await hub.ask('/servers/b1')).status).toBe(404)
    client.end(true)
  })

  test('reads its own topics alone', async () => {
    const client = await hub.connect('a1')
    const granted = await subscribe(client, [
      ...[topic('a1', 'ack'), topic('b1', 'ack'), topic('b1', 'config'), topic('b1', 'samples')],
      ...['harbinger/v1/+/ack', 'harbinger/#', '#'],
    ])
    expect(granted).toEqual([0, 128, 128, 128, 128, 128, 128])
    client.end(true)
  })

  test('is who it is whatever client id it uses, and pushes nobody else away', async () => {
    const b = await hub.connect('b1')
    const asFleet = await hub.connect('a1', { clientId: 'harbinger-fleet-1' })
    const asB = await hub.connect('a1', { clientId: 'b1' })
    for (const client of [asB, asFleet]) {
      if (!client.connected) continue
      await client.publishAsync(topic('b1', 'status'), '{"state":"offline"}', { qos: 1 })
      const granted = await subscribe(client, [topic('b1', 'ack'), topic('a1', 'ack')])
      expect(granted).toEqual([128, 0])
    }
    expect((await hub.ask('/servers/b1')).status).toBe(404)
    await b.publishAsync(topic('b1', 'samples'), sampleOf(1), { qos: 1 })
    await until('a sample of b1', () => seen('b1'))
    b.end(true)
  })

  test('of an agent cannot play the hub', async () => {
    const pem = readFileSync(hub.identityFile('a1'), 'utf8')
    const rogue = createServer({ key: pem, cert: pem })
    await new Promise<void>((resolve) => rogue.listen(0, '127.0.0.1', resolve))
    const { port } = rogue.address() as { port: number }
    expect(await handshake(port, { servername: 'a1' })).toBe('INVALID_PURPOSE')
    rogue.close()
  })
})

describe('who is not let in', () => {
  test('no certificate, one of another authority, one of the hub itself', async () => {
    const stranger = await openAuthority({ folder: undefined, now: Date.now })
    const key = newKey()
    const request = signingRequest(key, 'a1')
    const asked = { server: 'a1', enrolment: '0'.repeat(32), request }
    const foreign = key + (await stranger.signAgent(asked, 1))
    const own = readFileSync(join(hub.dataFolder, 'tls/server.pem'), 'utf8')
    expect(await handshake(hub.mqttPort)).not.toBe('secure')
    expect(await handshake(hub.mqttPort, { key: foreign, cert: foreign })).not.toBe('secure')
    expect(await handshake(hub.mqttPort, { key: own, cert: own })).not.toBe('secure')
    const good = readFileSync(hub.identityFile('a1'), 'utf8')
    expect(await handshake(hub.mqttPort, { key: good, cert: good })).toBe('secure')
  })

  test('a certificate of this authority for a name that never joined', async () => {
    const authority = await openAuthority({ folder: join(hub.dataFolder, 'tls'), now: Date.now })
    const key = newKey()
    const request = signingRequest(key, 'ghost')
    const pem =
      key + (await authority.signAgent({ server: 'ghost', enrolment: '0'.repeat(32), request }, 1))
    await expect(hub.connect('a1', { key: pem, cert: pem })).rejects.toThrow('Not authorized')
  })

  test.each(['httpPort', 'mqttPort'] as const)('TLS 1.1 on the %s', async (port) => {
    const pem = readFileSync(hub.identityFile('a1'), 'utf8')
    const old = { key: pem, cert: pem, ciphers: 'DEFAULT@SECLEVEL=0' } as const
    expect(await handshake(hub[port], { ...old, maxVersion: 'TLSv1.2' })).toBe('secure')
    const refused = { ...old, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const
    expect(await handshake(hub[port], refused)).toMatch(/PROTOCOL_VERSION|ERR_SSL/)
  })

  test('MQTT in the clear', async () => {
    const socket = connectPlain({ host: '127.0.0.1', port: hub.mqttPort })
    const answers: Buffer[] = []
    socket.on('data', (chunk: Buffer) => answers.push(chunk))
    socket.on('error', () => {})
    const ended = new Promise((resolve) => socket.once('close', resolve))
    socket.write(Buffer.from('101000044d5154540402003c000461626364', 'hex'))
    await ended
    // 0x20 would be a CONNACK.
    expect(Buffer.concat(answers)[0]).not.toBe(0x20)
  })
})

test.each([
  [
    'the command line',
    async () => (await hub.command('agent', 'revoke', 'cut-1')).code === 0,
    'cut-1',
  ],
  ['the REST API', async () => (await hub.ask('/agents/cut-2/revoke', {})).status === 200, 'cut-2'],
] as const)(
  'revoking over %s ends a live connection within 5 s and refuses the next',
  async (_how, revoke, server) => {
    const token = await hub.token()
    expect((await hub.join(server, token.line)).stderr).toBe('')
    const agent = hub.startAgent(server)
    await until('its samples', () => seen(server))
    const client = async () =>
      (
        await hub.ask<{ agents: { server: string; connected: boolean }[] }>('/agents')
      ).body.agents.find((known) => known.server === server)!.connected
    expect(await client()).toBe(true)
    expect(await revoke()).toBe(true)
    await until('the connection ends', async () => !(await client()), 5_000)
    await until('the agent says why', () =>
      agent.said.some((line) => line.includes('Not authorized')),
    )
    expect(await client()).toBe(false)
    await expect(hub.connect(server)).rejects.toThrow('Not authorized')
    await agent.stop()
    const pem = readFileSync(hub.identityFile(server), 'utf8')
    const renewal = {
      certificate: pem.slice(pem.indexOf('-----BEGIN CERT')),
      request: signingRequest(newKey(), server),
      signature: 'AAAA',
    }
    const { status, body } = await hub.ask<{ error: { message: string } }>('/enroll/renew', renewal)
    expect([status, body.error.message]).toEqual([403, expect.stringContaining('was revoked at')])
  },
)
