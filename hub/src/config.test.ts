import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { printConfig, readConfig } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'harbinger-config-'))
afterAll(() => rmSync(folder, { recursive: true }))
const written = (text: string): string => {
  const file = join(folder, 'hub.yaml')
  writeFileSync(file, text)
  return file
}

test('flags come before the environment, the environment before the file, the file before defaults', () => {
  const file = written('http:\n  port: 1\nmqtt:\n  port: 2\ndemo: {servers: 3}\n')
  const config = readConfig({
    file,
    env: { HARBINGER_HTTP_PORT: '11', HARBINGER_MQTT_PORT: '12' },
    flags: { 'http.port': '21' },
  })
  expect(config).toMatchObject({
    http: { port: 21, host: '127.0.0.1' },
    mqtt: { port: 12 },
    demo: { servers: 3 },
  })
  expect(Object.isFrozen(config)).toBe(true)
})

test('all mistakes come in one message, each with its place', () => {
  const file = written(
    'http: {port: many}\nforecast: {device: abacus}\ncolour: blue\nprofiles: {rules: [{pattern: "(", profile: generic}, {pattern: a, profile: b}]}\n',
  )
  expect(() => readConfig({ file, env: { HARBINGER_RETENTION_RAW_DAYS: '0' } })).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(
        /6 mistakes[^]*colour is no setting[^]*http\.port = many \(from .*hub\.yaml\): expected a port[^]*abacus[^]*HARBINGER_RETENTION_RAW_DAYS[^]*rules\[0\]\.pattern[^]*rules\[1\]\.profile: b/,
      ),
    }),
  )
})

test('lists and rules are read', () => {
  const file = written(
    'http: {allowedHosts: [a.example, b.example]}\nprofiles: {rules: [{pattern: ^edge, profile: web_api}]}\n',
  )
  expect(readConfig({ file, env: {} })).toMatchObject({
    http: { allowedHosts: ['a.example', 'b.example'] },
    profileRules: [{ pattern: '^edge', profile: 'web_api' }],
  })
})

test('a file that is no YAML is named', () => {
  expect(() => readConfig({ file: written('a: [b'), env: {} })).toThrow(/hub\.yaml/)
  expect(() => readConfig({ file: join(folder, 'none.yaml'), env: {} })).toThrow(/none\.yaml/)
})

test('what is in force can be printed', () => {
  const text = printConfig(readConfig({ file: written('log: {level: warn}'), env: {} }))
  expect(text).toContain('log.level: "warn"  # HARBINGER_LOG_LEVEL')
  expect(text).toContain('retention.rawDays: 2  # days; HARBINGER_RETENTION_RAW_DAYS')
})
