import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { metricNames } from '../../shared/src/metrics.ts'
import { checkSample } from '../../shared/src/sample.ts'

const run = promisify(execFile)
const launcher = fileURLToPath(new URL('../../agent/bin/harbinger-agent.mjs', import.meta.url))

test('harbinger-agent once prints one valid sample of this machine', async () => {
  const { stdout } = await run(process.execPath, [launcher, 'once'])
  const verdict = checkSample(JSON.parse(stdout), Date.now())
  expect(verdict).toHaveProperty('sample')
  if ('rejected' in verdict) throw new Error(verdict.detail)
  const { m, at } = verdict.sample
  expect(Math.abs(Date.now() - at)).toBeLessThan(10_000)
  if (process.platform === 'linux') expect(Object.keys(m).sort()).toEqual([...metricNames].sort())
})

test.each(['run', 'once', 'doctor', 'status'])('%s has help', async (command) => {
  const { stdout } = await run(process.execPath, [launcher, command, '--help'])
  expect(stdout).toContain('Usage: harbinger-agent')
})

test('an unknown command fails', async () => {
  await expect(run(process.execPath, [launcher, 'nonsense'])).rejects.toMatchObject({ code: 1 })
})
