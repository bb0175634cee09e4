import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const dist = join(import.meta.dirname, '../../agent/dist')

/** What a running agent loads; joining, doctors and other commands may bring more. */
const running = /^(harbinger-agent|agent-|config-|connection-|machine-|renewal-|log-)/

test('a running agent carries no schema library, which takes 3 MB', () => {
  const files = readdirSync(dist).filter((name) => running.test(name))
  expect(files.length).toBeGreaterThan(3)
  for (const file of files) {
    expect(readFileSync(join(dist, file), 'utf8'), file).not.toMatch(/typebox/i)
  }
})
