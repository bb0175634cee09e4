import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig, settings, settingsHelp } from './config.ts'

let directory: string
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'agent-config-'))))
afterAll(() => rmSync(directory, { recursive: true }))

function yaml(content: string): string {
  const file = join(directory, 'agent.yaml')
  writeFileSync(file, content)
  return file
}

describe('configuration', () => {
  test('has defaults that run on a laptop', async () => {
    expect(await loadConfig({ file: yaml(''), env: { HARBINGER_SERVER: 'a' } })).toEqual({
      server: 'a',
      hub: 'mqtt://127.0.0.1:1883',
      intervalSeconds: 10,
      profile: undefined,
      tags: [],
      watchedFileSystem: undefined,
      procRoot: '/proc',
      sysRoot: '/sys',
      stateDirectory: '.harbinger/agent',
      statusDirectory: undefined,
      spoolDays: 7,
      spoolMegabytes: 64,
      spoolMemorySamples: 8_640,
      logLevel: 'info',
    })
  })

  test('reads the file, and the environment wins over it', async () => {
    const file = yaml('server: db1\nintervalSeconds: 30\ntags: [prod, eu]\nprofile: database\n')
    expect(await loadConfig({ file, env: { HARBINGER_INTERVAL_SECONDS: '5' } })).toMatchObject({
      server: 'db1',
      intervalSeconds: 5,
      tags: ['prod', 'eu'],
      profile: 'database',
    })
  })

  test('reads a list from the environment', async () => {
    const env = { HARBINGER_SERVER: 'a', HARBINGER_TAGS: 'prod, eu' }
    expect(await loadConfig({ file: yaml(''), env })).toMatchObject({ tags: ['prod', 'eu'] })
  })

  test('tells every mistake in one message', async () => {
    const file = yaml('server: "no spaces"\nintervalSeconds: 301\ncolour: red\nprofile: web\n')
    const env = {
      HARBINGER_HUB: 'http://hub',
      HARBINGER_LOG_LEVEL: 'loud',
      HARBINGER_SPOOL_DAYS: '',
    }
    const message = await loadConfig({ file, env }).catch((error: Error) => error.message)
    for (const name of [
      'server',
      'intervalSeconds',
      'colour',
      'profile',
      'HARBINGER_HUB',
      'HARBINGER_LOG_LEVEL',
      'HARBINGER_SPOOL_DAYS',
    ]) {
      expect(message).toContain(`  ${name}: `)
    }
    expect(message).toContain('expected a whole number from 1 to 300, got 301')
  })

  test.each([
    ['a file that is no list of settings', '- a\n- b\n', 'expected settings like'],
    ['a file that is no YAML', 'a: [', 'agent.yaml:'],
  ])('refuses %s', async (_, content, message) => {
    await expect(loadConfig({ file: yaml(content), env: {} })).rejects.toThrow(message)
  })

  test('refuses a named file that is not there', async () => {
    await expect(loadConfig({ file: '/nowhere/agent.yaml', env: {} })).rejects.toThrow(
      '/nowhere/agent.yaml: cannot be read',
    )
  })

  test('cannot be changed after it is read', async () => {
    const config = await loadConfig({ file: yaml(''), env: { HARBINGER_SERVER: 'a' } })
    expect(Object.isFrozen(config)).toBe(true)
  })
})

test('each setting is named in the help, with its variable', () => {
  for (const [key, { env }] of Object.entries(settings)) {
    expect(settingsHelp()).toContain(`  ${key}  ${env}  `)
  }
})
