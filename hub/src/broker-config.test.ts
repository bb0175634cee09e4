import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { printConfig, readConfig } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'harbinger-broker-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const read = (lines: string) => {
  const file = join(folder, 'hub.yaml')
  writeFileSync(file, `broker:\n${lines.replace(/^/gm, '  ')}\n`)
  return readConfig({ file, env: {} })
}

test('there is none unless one is named', () => {
  expect(readConfig({ env: {} }).broker).toBeUndefined()
})

test('a password comes from its file, and is shown nowhere', () => {
  const file = join(folder, 'password')
  writeFileSync(file, 'very secret\n')
  const config = read(`url: mqtts://broker:8883\nusername: hub\npasswordFile: ${file}`)
  expect(config.broker).toMatchObject({ url: 'mqtts://broker:8883', password: 'very secret' })
  expect(printConfig(config)).not.toContain('very secret')
  expect(printConfig(config)).toContain('broker.password: ********')
})

test.each([
  ['unencrypted to another machine', 'url: mqtt://broker', 'is not encrypted'],
  ['no address of a broker', 'url: http://broker', 'expected mqtts://host:port'],
  ['a secret in the address', 'url: mqtts://hub:secret@broker', 'belong into broker.username'],
  ['a certificate without its key', 'url: mqtts://broker\ncertFile: a.pem', 'belong together'],
  [
    'two passwords',
    'url: mqtts://broker\npassword: a\npasswordFile: /dev/null',
    'give one of them',
  ],
  ['a password file that is not there', 'url: mqtts://broker\npasswordFile: /none', '/none'],
])('refuses %s', (_, lines, message) => {
  expect(() => read(lines)).toThrow(message)
})

test.each([
  'url: mqtt://127.0.0.1',
  'url: mqtt://localhost:1883',
  'url: mqtt://broker\nallowPlain: "yes"',
])('takes %s', (lines) => {
  expect(read(lines).broker).toBeDefined()
})

test('refuses a simulated fleet beside it, which speaks to the embedded broker', () => {
  const env = { HARBINGER_BROKER_URL: 'mqtts://broker', HARBINGER_DEMO_SERVERS: '3' }
  expect(() => readConfig({ env })).toThrow('demo.servers')
})
