import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditEntry, SessionAnswer } from '@harbinger/shared/people-api'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openSecureHub, type SecureHub } from './secure-hub.ts'

// Each command is a process of its own, which two busy cores take seconds to start.
vi.setConfig({ testTimeout: 60_000 })

let hub: SecureHub
beforeAll(async () => {
  hub = await openSecureHub({ HARBINGER_HTTP_HOST: '0.0.0.0' })
}, 90_000)
afterAll(() => hub?.close())

/** As the command line asks: with the secret of this run. */
const asked = async <Answer>(path: string) => {
  const { secret } = JSON.parse(readFileSync(join(hub.dataFolder, 'hub.json'), 'utf8')) as {
    secret: string
  }
  return (await hub.ask<Answer>(path, undefined, { authorization: `Bearer ${secret}` })).body
}

test('beyond loopback the log says by https and by a name where the first admin is made', async () => {
  const line = hub.lines.find((text) => text.includes('set-up'))!
  expect(JSON.parse(line)).toMatchObject({ page: `https://localhost:${hub.httpPort}/set-up` })
  expect((await hub.ask<SessionAnswer>('/session')).body.mode).toBe('setup')
  expect((await hub.ask('/tokens')).status).toBe(401)
})

test('servers join before there is an admin, and the audit log says with which token', async () => {
  const made = await hub.command('token', 'create', '--json', '--uses', '2')
  const { id, token, line } = JSON.parse(made.stdout) as { id: string; token: string; line: string }
  expect((await hub.join('a1', line)).stderr).toBe('')
  expect((await hub.command('agent', 'revoke', 'a1')).stderr).toBe('')
  expect((await hub.command('token', 'revoke', id)).stderr).toBe('')
  expect((await hub.join('a2', line)).code).not.toBe(0)

  const { entries } = await asked<{ entries: AuditEntry[] }>('/audit')
  expect(entries.toReversed()).toMatchObject([
    {
      who: expect.stringMatching(/^command line/),
      action: 'enrolment token created',
      target: id,
      outcome: 'done',
    },
    { who: `enrolment token ${id}`, action: 'join', target: 'a1', outcome: 'done' },
    {
      who: expect.stringMatching(/^command line/),
      action: 'agent revoked',
      target: 'a1',
      outcome: 'done',
    },
    {
      who: expect.stringMatching(/^command line/),
      action: 'enrolment token revoked',
      target: id,
      outcome: 'done',
    },
    { who: `enrolment token ${id}`, action: 'join', target: 'a2', outcome: 'refused' },
  ])
  expect(JSON.stringify(entries)).not.toContain(token)
})

test('a command asks a hub with TLS and a login by its certificate and its secret', async () => {
  const { stdout, stderr } = await hub.command('model', 'list', '--json')
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toMatchObject({ serving: { id: expect.any(String) } })
  const note = join(hub.dataFolder, 'hub.json')
  expect(statSync(note).mode & 0o777).toBe(0o600)
})
