import { expect, test } from 'vitest'
import { agentStore } from '../storage/agent-store.ts'
import { openDatabase } from '../storage/database.ts'
import { tokenStore } from '../storage/token-store.ts'
import { openIdentity } from './identity.ts'
import { reachable } from './join-address.ts'
import { readTls, type TlsConfig } from './tls-config.ts'
import { settings } from '../settings.ts'

const start = Date.UTC(2026, 5, 1)
const tls = readTls(
  (key, check) =>
    check(
      { 'tls.mode': 'on', 'tls.names': 'hub.example' }[key as string] ??
        String(settings[key].default),
    )!,
  [],
)!

function open(options: { tls?: TlsConfig | undefined; brokerUrl?: string }) {
  const db = openDatabase(':memory:')
  const agents = agentStore(db)
  const identity = openIdentity({
    ...{ tls, brokerUrl: undefined, dataFolder: ':memory:', now: () => start },
    ...{ tokens: tokenStore(db), agents, isConnected: () => undefined, audit: () => {} },
    log: { info() {}, warn() {}, error() {} },
    ...options,
  })
  return identity.then((opened) => ({ ...opened, store: agents }))
}

test('where an external broker takes certificates, servers join, and who is connected is not known', async () => {
  const { sources, store } = await open({ brokerUrl: 'mqtts://broker.example:8883' })
  expect(sources.tokens()).toMatchObject({ problem: null, hub: 'https://hub.example:0' })
  expect(sources.createToken({})).toMatchObject({ state: 'usable' })
  store.enrol({
    ...{ server: 'web1', enrolment: 'e', keySha256: 'k', token: 't' },
    ...{ enrolledAt: start, certificateUntil: start + 1 },
  })
  expect(sources.agents().agents).toMatchObject([{ server: 'web1', connected: null }])
})

test('where certificates count for nothing nobody joins, with the reason', async () => {
  for (const [options, reason] of [
    [{ brokerUrl: 'mqtt://broker.example:1883' }, 'through a broker in the clear'],
    [{ tls: undefined }, 'without TLS'],
  ] as const) {
    const { sources } = await open(options)
    const refused = { refused: expect.stringContaining(reason) }
    expect(sources.tokens()).toMatchObject({ problem: refused.refused, hub: null })
    expect(sources.createToken({})).toMatchObject(refused)
    const asked = { token: 't', server: 'web1', request: 'none' }
    expect(await sources.enrol(asked, '10.0.0.1')).toMatchObject({ status: 409, ...refused })
  }
})

test('the view is called by the names in the settings, and by those of the machine only beyond loopback', async () => {
  expect((await open({})).names('127.0.0.1')).toEqual(['hub.example'])
  const nameless = await open({ tls: { ...tls, names: [] } })
  expect(nameless.names('127.0.0.1')).toEqual([])
  expect(nameless.names('0.0.0.0')).toContain('localhost')
})

test('people are sent to an address that they can reach', () => {
  const view = { address: 'https://127.0.0.1:8443', port: 8443 }
  expect(reachable({ tls, host: '0.0.0.0' }, view)).toBe('https://hub.example:8443')
  expect(reachable({ tls: undefined, host: '10.0.0.5' }, view)).toBe('http://10.0.0.5:8443')
  expect(reachable({ tls: undefined, host: 'fd00::5' }, view)).toBe('http://[fd00::5]:8443')
  expect(reachable({ tls: undefined, host: '0.0.0.0' }, view)).not.toContain('0.0.0.0')
  expect(reachable({ tls, host: '127.0.0.1' }, view)).toBe(view.address)
})
