import { createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { checkStatement } from '@harbinger/shared/enrolment'
import { newKey, signingRequest } from '../../../agent/src/join/signing-request.ts'
import { openDatabase } from '../storage/database.ts'
import { agentStore } from '../storage/agent-store.ts'
import { tokenStore } from '../storage/token-store.ts'
import { openAuthority, sha256Of } from './authority.ts'
import { type Audit, enrolment } from './enrolment.ts'
import { failureLimit } from './failure-limit.ts'
import { newToken } from './token-terms.ts'

const start = Date.UTC(2026, 5, 1)

async function open() {
  const clock = { now: start }
  const db = openDatabase(':memory:')
  const tokens = tokenStore(db)
  const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }
  const audit = vi.fn<Audit>()
  const agents = agentStore(db)
  const joining = enrolment({
    authority: await openAuthority({ folder: undefined, now: () => clock.now }),
    ...{ tokens, agents, ca: 'CA', days: 90, audit, now: () => clock.now, log },
    mqtt: () => 'mqtts://hub:8883',
  })
  return { clock, tokens, agents, joining, log, audit }
}

const guess = { token: `hbt_abcdefgh_${'x'.repeat(43)}`, server: 'web1', request: 'none' }

test('whoever guesses tokens has to wait, others do not, and each refusal is in the log', async () => {
  const { clock, joining, log } = await open()
  for (let i = 0; i < 10; i++) {
    expect(await joining.enrol(guess, '10.0.0.1')).toMatchObject({ status: 403 })
  }
  expect(await joining.enrol(guess, '10.0.0.1')).toMatchObject({ status: 429, retrySeconds: 60 })
  expect(await joining.enrol(guess, '10.0.0.2')).toMatchObject({ status: 403 })
  expect(log.warn).toHaveBeenCalledTimes(11)
  expect(JSON.stringify(log.warn.mock.calls)).not.toContain('xxxx')
  clock.now += 60_000
  expect(await joining.enrol(guess, '10.0.0.1')).toMatchObject({ status: 403 })
})

test('the audit log has refusals of tokens that were made here, and nothing of strangers', async () => {
  const { tokens, joining, audit } = await open()
  await joining.enrol(guess, '10.0.0.1')
  expect(audit).not.toHaveBeenCalled()
  const { token, made } = tokens.create(newToken({}, start), start)
  tokens.revoke(made.id, start)
  await joining.enrol({ ...guess, token }, '10.0.0.1')
  expect(audit.mock.calls).toEqual([
    [
      {
        ...{ who: `enrolment token ${made.id}`, address: '10.0.0.1', action: 'join' },
        ...{ target: 'web1', outcome: 'refused' },
        detail: `token ${made.id} was revoked at ${new Date(start).toISOString()}`,
      },
    ],
  ])
  expect(JSON.stringify(audit.mock.calls)).not.toContain(token)
})

test('many addresses together have to wait, and are not remembered without bound', () => {
  const limit = failureLimit(() => start)
  for (let i = 0; i < 200; i++) limit.failed(`10.0.${i >> 8}.${i & 255}`)
  expect(limit.mustWait('192.0.2.1')).toBe(60)
})

test('of two servers that come for the last use at once, one gets it', () => {
  const { made } = tokenStore(openDatabase(':memory:')).create(newToken({}, start), start)
  const db = openDatabase(':memory:')
  const tokens = tokenStore(db)
  const { made: token } = tokens.create(newToken({}, start), start)
  expect([tokens.use(token.id, start), tokens.use(token.id, start)]).toEqual([true, false])
  expect(made.usesAllowed).toBe(1)
})

test('a token is found by all of it, and by nothing less', () => {
  const tokens = tokenStore(openDatabase(':memory:'))
  const { token, made } = tokens.create(newToken({ tags: ['a'] }, start), start)
  expect(tokens.find(token)).toEqual(made)
  for (const wrong of [token.slice(0, -1), `${token}x`, token.replace(/.$/, '!'), '', made.id]) {
    expect(tokens.find(wrong)).toBeUndefined()
  }
  const other = token.endsWith('A') ? 'B' : 'A'
  expect(tokens.find(token.slice(0, -2) + other + token.slice(-1))).toBeUndefined()
})

test('an agent that asks is told whether it is let in and why not, and nothing changes', async () => {
  const { clock, tokens, agents, joining } = await open()
  const { token } = tokens.create(newToken({}, start), start)
  const key = newKey()
  const request = signingRequest(key, 'web1')
  const enrolled = await joining.enrol({ token, server: 'web1', request }, '10.0.0.1')
  const { certificate } = enrolled as { certificate: string }
  const question = (by: string) => {
    const statement = Buffer.from(checkStatement(sha256Of(new X509Certificate(certificate))))
    const signature = sign('sha256', statement, createPrivateKey(by)).toString('base64')
    return { certificate, signature }
  }
  const before = agents.find('web1')
  expect(joining.check(question(key), '10.0.0.1')).toEqual({ server: 'web1', problem: null })
  expect(agents.find('web1')).toEqual(before)

  // Whoever has seen the certificate, which is no secret, is told nothing.
  expect(joining.check(question(newKey()), '10.0.0.2')).toMatchObject({ status: 403 })
  const other = await open()
  expect(other.joining.check(question(key), '10.0.0.1')).toMatchObject({
    ...{ status: 403, refused: expect.stringContaining('no certificate of an agent of this hub') },
  })

  clock.now += 1_000
  agents.revoke('web1', clock.now)
  expect(joining.check(question(key), '10.0.0.1')).toEqual({
    ...{ server: 'web1', problem: `the agent of web1 was revoked at 2026-06-01T00:00:01.000Z` },
  })
  for (let i = 0; i < 10; i++) joining.check(question(newKey()), '10.0.0.3')
  expect(joining.check(question(key), '10.0.0.3')).toMatchObject({ status: 429 })
})
