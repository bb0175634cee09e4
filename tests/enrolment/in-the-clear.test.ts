import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../../hub/src/config.ts'
import { openHub } from '../../hub/src/hub.ts'
import { runHub } from './secure-hub.ts'

test('a hub does not hear agents in the clear beyond this machine', async () => {
  const { code, stderr } = await runHub(['hub', '--port', '0', '--mqtt-port', '0'], {
    HARBINGER_MQTT_HOST: '0.0.0.0',
    HARBINGER_DATA_FOLDER: join(tmpdir(), 'never-made'),
  })
  expect(code).toBe(1)
  expect(stderr).toContain('without TLS agents are heard on this machine alone')
  expect(stderr).toContain('mqtt.allowPlain')
}, 60_000)

test('nor does it serve people in the clear beyond this machine', () => {
  const env = { HARBINGER_HTTP_HOST: '0.0.0.0' }
  expect(() => readConfig({ env })).toThrow(/on this machine alone; set tls.mode.*http.allowPlain/)
  expect(() => readConfig({ env: { ...env, HARBINGER_TLS_MODE: 'on' } })).not.toThrow()
})

test.each(['127.0.0.1', '::1', 'localhost', '127.1.2.3'])('%s is this machine', (host) => {
  const env = { HARBINGER_MQTT_HOST: host, HARBINGER_HTTP_HOST: host }
  expect(() => readConfig({ env })).not.toThrow()
})

test('one that is told to says so in its log and its health', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'harbinger-clear-'))
  const said: string[] = []
  const log = {
    info() {},
    error() {},
    warn: (_fields: object, text: string) => void said.push(text),
  }
  const config = readConfig({
    flags: { 'data.folder': folder, 'http.port': 0, 'mqtt.port': 0 },
    env: {
      ...{ HARBINGER_MQTT_HOST: '0.0.0.0', HARBINGER_MQTT_ALLOW_PLAIN: 'yes' },
      ...{ HARBINGER_HTTP_HOST: '0.0.0.0', HARBINGER_HTTP_ALLOW_PLAIN: 'yes' },
    },
  })
  const hub = await openHub(config, { clock: { now: Date.now, every: () => () => {} }, log })
  const { status, problems } = hub.sources.health()
  await hub.close()
  rmSync(folder, { recursive: true })
  expect(status).toBe('degraded')
  for (const all of [problems.join(), said.join()]) {
    expect(all).toContain('agents are heard in the clear on 0.0.0.0')
    expect(all).toContain('the fleet view is served in the clear on 0.0.0.0')
  }
}, 60_000)

test('without TLS no token is made', async () => {
  const { code, stderr } = await runHub(['token', 'create'], {})
  expect(code).toBe(1)
  expect(stderr).toContain('set tls.mode to on')
}, 60_000)

test('settings that belong together are missed together', () => {
  const env = { HARBINGER_TLS_MODE: 'on', HARBINGER_TLS_CERTIFICATE_FILE: '/x.pem' }
  expect(() => readConfig({ env })).toThrow('tls.certificateFile and tls.keyFile belong together')
  expect(readConfig({ env: { HARBINGER_TLS_MODE: 'on' } })).toMatchObject({
    ...{ http: { port: 8443 }, mqtt: { port: 8883 } },
  })
})
