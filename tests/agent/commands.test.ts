import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkSample } from '@harbinger/shared/sample'
import { openTestBroker } from './broker.ts'

const launcher = fileURLToPath(new URL('../../agent/bin/harbinger-agent.mjs', import.meta.url))

let directory: string
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'agent-commands-'))))
afterAll(() => rmSync(directory, { recursive: true }))

const start = (args: readonly string[], env: { [name: string]: string } = {}) =>
  spawn(process.execPath, [launcher, ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, HARBINGER_SERVER: 'db1', ...env },
  })

async function run(args: readonly string[], env: { [name: string]: string } = {}) {
  const child = start(args, env)
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += String(chunk)))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += String(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...output }
}

describe('harbinger-agent', () => {
  test('doctor finds what is wrong, says what to do, and fails', async () => {
    const { code, stdout } = await run(['doctor', '--json'], {
      HARBINGER_HUB: 'mqtt://127.0.0.1:1',
      HARBINGER_PROC_ROOT: directory,
    })
    expect(code).toBe(1)
    const findings = JSON.parse(stdout) as { check: string; ok: boolean | null; advice: string }[]
    const failed = findings.filter(({ ok }) => ok === false)
    expect(failed.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['proc', 'collector cpu', 'hub port']),
    )
    for (const { advice } of failed) expect(advice).not.toBe('')
  })

  test('doctor is content where all is well', async () => {
    const broker = await openTestBroker()
    const { code, stdout } = await run(['doctor'], { HARBINGER_HUB: broker.url })
    await broker.close()
    expect(stdout).not.toContain('FAILED')
    expect(stdout).toContain('an MQTT broker at 127.0.0.1')
    expect(code).toBe(0)
  })

  test('run sends numbered samples until it is stopped, and numbers on after a restart', async () => {
    const broker = await openTestBroker()
    const env = { HARBINGER_HUB: broker.url, HARBINGER_INTERVAL_SECONDS: '1' }
    const seqs = () => broker.of('samples').map((sample) => (sample as { seq: number }).seq)
    for (const count of [2, 3]) {
      const agent = start(['run'], env)
      await broker.until(() => broker.of('samples').length >= count)
      for (const sample of broker.of('samples')) {
        expect(checkSample(sample, Date.now())).toHaveProperty('sample')
      }
      agent.kill('SIGTERM')
      const [code] = (await once(agent, 'exit')) as [number]
      expect(code).toBe(0)
      expect(broker.of('status').at(-1)).toMatchObject({ state: 'offline', reason: 'stopped' })
    }
    await broker.close()
    const [first] = seqs()
    // A sample that nobody acknowledged is sent again only by the agent that took it, so each is here once.
    expect(seqs()).toEqual(seqs().map((_, i) => first! + i))
    expect(broker.of('inventory').at(-1)).toMatchObject({ agentVersion: '0.1.0' })
  })

  test('run tells all mistakes of its configuration and fails', async () => {
    const file = join(directory, 'agent.yaml')
    writeFileSync(file, 'hub: nowhere\nintervalSeconds: 0\n')
    const { code, stderr } = await run(['run', '--config', file])
    expect(code).toBe(1)
    expect(stderr).toContain('hub: expected')
    expect(stderr).toContain('intervalSeconds: expected')
  })

  test('status says whether an agent runs here', async () => {
    const state = join(directory, 'another')
    const none = await run(['status'], { HARBINGER_STATE_DIRECTORY: state })
    expect(none.code).toBe(1)
    expect(none.stdout).toContain('not running')

    const broker = await openTestBroker()
    const env = { HARBINGER_HUB: broker.url, HARBINGER_STATE_DIRECTORY: state }
    const agent = start(['run'], { ...env, HARBINGER_INTERVAL_SECONDS: '1' })
    await broker.until(() => broker.of('samples').length >= 1)
    const some = await run(['status', '--json'], env)
    expect(some.code).toBe(0)
    expect(JSON.parse(some.stdout)).toMatchObject({
      running: true,
      status: { server: 'db1', pid: expect.any(Number), spool: { dropped: 0 } },
    })
    agent.kill('SIGTERM')
    await once(agent, 'exit')
    await broker.close()
  })

  test('run --print-config shows the settings in force', async () => {
    const { stdout } = await run(['run', '--print-config'], { HARBINGER_TAGS: 'prod' })
    expect(JSON.parse(stdout)).toMatchObject({ server: 'db1', tags: ['prod'], intervalSeconds: 10 })
  })
})
