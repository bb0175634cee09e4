import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { agentNameOf } from '../../hub/src/identity/agent-name.ts'
import { openAuthority } from '../../hub/src/identity/authority.ts'
import { openServerCredentials } from '../../hub/src/identity/server-credentials.ts'
import { listen } from '../../hub/src/ingest/listen.ts'
import { newKey, signingRequest } from '../../agent/src/join/signing-request.ts'
import { X509Certificate } from 'node:crypto'

const quiet = { info() {}, warn() {}, error() {} }
const folder = mkdtempSync(join(tmpdir(), 'harbinger-certificates-'))
const dayMs = 86_400_000
const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
  rmSync(folder, { recursive: true, force: true })
})

async function agentOf(authority: Awaited<ReturnType<typeof openAuthority>>, server = 'web1') {
  const key = newKey()
  const request = signingRequest(key, server)
  const pem = key + (await authority.signAgent({ server, enrolment: 'ab'.repeat(16), request }, 90))
  return { key: pem, cert: pem }
}

const secured = (options: object): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', ...options })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', reject)
    ends.push(() => socket.destroy())
  })

async function openListener(
  clock: { now: number },
  given?: { certificateFile: string; keyFile: string },
) {
  const now = () => clock.now
  const authority = await openAuthority({ folder, now })
  const credentials = await openServerCredentials({
    ...{ authority, folder, names: ['hub.test', 'fd00::1'], days: 90, given, now, log: quiet },
  })
  const listener = await listen({
    ...{ host: '127.0.0.1', port: 0, onRefused() {} },
    gate: { credentials, agentAuthority: authority.certificate, mayConnect: () => undefined },
    onConnection: (socket) => void socket.on('data', (chunk) => socket.write(chunk)),
  })
  ends.push(listener.close)
  return { authority, credentials, listener, ca: authority.certificate }
}

test('the certificate of the hub is renewed in its last third, and open connections go on', async () => {
  // TLS looks at the real clock, so the hub's is moved from the past to it.
  const clock = { now: Date.now() - 61 * dayMs }
  const { authority, credentials, listener, ca } = await openListener(clock)
  const options = { port: listener.port, ca, ...(await agentOf(authority)) }
  const open = await secured(options)
  const before = open.getPeerX509Certificate()!
  await credentials.refresh()
  expect((await secured(options)).getPeerX509Certificate()!.serialNumber).toBe(before.serialNumber)
  clock.now += 61 * dayMs
  await credentials.refresh()
  const after = (await secured(options)).getPeerX509Certificate()!
  expect(after.serialNumber).not.toBe(before.serialNumber)
  open.write('still here')
  expect(String(await new Promise((resolve) => open.once('data', resolve)))).toBe('still here')
  expect(after.subjectAltName).toBe(
    'DNS:hub.test, IP Address:FD00:0:0:0:0:0:0:1, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  )
})

test('a restart keeps authority and certificate; other names need another certificate', async () => {
  const clock = { now: Date.now() }
  const first = await openListener(clock)
  const second = await openListener(clock)
  expect(second.ca).toBe(first.ca)
  expect(second.credentials.leaf()).toBe(first.credentials.leaf())
  const renamed = await openServerCredentials({
    ...{ authority: first.authority, folder, names: ['other.test'], days: 90, log: quiet },
    now: () => clock.now,
  })
  expect(renamed.leaf()).not.toBe(first.credentials.leaf())
})

test('a certificate that the operator brings serves, and is read again when it changes', async () => {
  const clock = { now: Date.now() }
  const theirs = await openAuthority({ folder: undefined, now: () => clock.now })
  const given = { certificateFile: join(folder, 'their.crt'), keyFile: join(folder, 'their.key') }
  const bring = async () => {
    const { key, certificate } = await theirs.signServer(['localhost'], 30)
    writeFileSync(given.certificateFile, certificate)
    writeFileSync(given.keyFile, key, { mode: 0o600 })
  }
  await openAuthority({ folder, now: () => clock.now })
  await bring()
  const { authority, credentials, listener } = await openListener(clock, given)
  const options = { port: listener.port, ca: theirs.certificate, ...(await agentOf(authority)) }
  const before = (await secured(options)).getPeerX509Certificate()!.serialNumber
  await bring()
  await credentials.refresh()
  expect((await secured(options)).getPeerX509Certificate()!.serialNumber).not.toBe(before)
  writeFileSync(given.keyFile, newKey())
  await credentials.refresh()
  expect(credentials.problem()).toContain('is not the key of the certificate')
  expect((await secured(options)).authorized).toBe(true)
})

test('an authority that the operator brings signs the agents', async () => {
  const own = await openAuthority({ folder, now: Date.now })
  const given = { certificateFile: join(folder, 'ca.pem'), keyFile: join(folder, 'ca-key.pem') }
  const authority = await openAuthority({ folder: undefined, now: Date.now, given })
  expect(authority.sha256).toBe(own.sha256)
  const { cert } = await agentOf(authority)
  expect(own.signed(new X509Certificate(cert))).toBe(true)
  expect(agentNameOf(new X509Certificate(cert))).toMatchObject({
    server: 'web1',
    enrolment: 'ab'.repeat(16),
  })
})

test('a key that everybody may read is refused', async () => {
  await openAuthority({ folder, now: Date.now })
  chmodSync(join(folder, 'ca-key.pem'), 0o644)
  await expect(openAuthority({ folder, now: Date.now })).rejects.toThrow('everybody may read it')
})

test('names of agents up to the longest come back as they were', async () => {
  const authority = await openAuthority({ folder: undefined, now: Date.now })
  for (const server of ['a', 'Web_1.example-2', 'x'.repeat(253)]) {
    const { key, cert } = await agentOf(authority, server)
    expect(agentNameOf(new X509Certificate(cert))?.server).toBe(server)
    expect(await authority.readRequest(signingRequest(key, server))).toMatchObject({ server })
  }
})

test('a signing request that somebody changed is refused', async () => {
  const authority = await openAuthority({ folder: undefined, now: Date.now })
  const good = signingRequest(newKey(), 'web1')
  const der = Buffer.from(good.replace(/-----[^-]+-----/g, ''), 'base64')
  der[der.indexOf('web1')] = 'x'.charCodeAt(0)
  const bad = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
  expect(await authority.readRequest(bad)).toEqual({
    rejected: 'the request is not signed by its own key',
  })
  expect(await authority.readRequest('nonsense')).toMatchObject({
    rejected: expect.stringContaining('no certificate signing request'),
  })
})
