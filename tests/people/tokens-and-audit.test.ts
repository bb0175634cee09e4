import type { NewApiToken } from '@harbinger/shared/people-api'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { byTest } from '../view/memory-people.ts'
import { openPeopleView } from './open-people-view.ts'

let view: Awaited<ReturnType<typeof openPeopleView>>
let session: string
beforeEach(async () => {
  view = await openPeopleView()
  session = view.enter('ada', 'admin')
})
afterEach(() => view.close())

const create = async (body: object) =>
  (
    await view.ask({ method: 'POST', url: '/api/v1/api-tokens', body, session })
  ).json() as NewApiToken
const status = async (url: string, token: string, method: 'GET' | 'POST' = 'GET') =>
  (await view.ask({ method, url, token, ...(method === 'POST' && { body: {} }) })).statusCode

describe('an API token', () => {
  test('is told once, kept as a hash, and reads metrics', async () => {
    const made = await create({ name: 'prometheus', scope: 'read' })
    expect(made.token).toMatch(/^harbinger_api_[\w-]{43}$/)
    expect(Date.parse(made.expiresAt) - view.time.now).toBe(90 * 86_400_000)
    expect(await status('/metrics', made.token)).toBe(200)
    const list = await view.ask({ url: '/api/v1/api-tokens', session })
    expect(list.body).not.toContain(made.token)
    expect(list.json().apiTokens).toMatchObject([
      { name: 'prometheus', scope: 'read', createdBy: 'ada', lastUsedAt: expect.any(String) },
    ])
    const rows = JSON.stringify(view.stores.db.prepare('SELECT * FROM api_tokens').all())
    expect(rows).not.toContain(made.token.slice(14))
  })

  test('ends when it is revoked, when it expires and when its owner goes', async () => {
    const [revoked, expiring, owned] = [
      await create({ name: 'a', scope: 'operate' }),
      await create({ name: 'b', scope: 'operate', days: 1 }),
      view.people.accounts.createToken(
        { name: 'c', scope: 'operate' },
        {
          by: byTest,
          userId: (view.enter('bob', 'operator'), view.people.accounts.find('bob')!.id),
        },
      ),
    ]
    const all = () =>
      Promise.all([revoked, expiring, owned].map(({ token }) => status('/api/v1/fleet', token)))
    expect(await all()).toEqual([200, 200, 200])
    await view.ask({
      ...{ method: 'DELETE', url: `/api/v1/api-tokens/${revoked.id}`, body: {}, session },
    })
    expect(await all()).toEqual([401, 200, 200])
    view.time.now += 86_400_000
    expect(await all()).toEqual([401, 401, 200])
    view.people.accounts.removeUser(view.people.accounts.find('bob')!.id, byTest)
    expect(await all()).toEqual([401, 401, 401])
  })

  test('makes no other token, and is no person', async () => {
    const { token } = await create({ name: 'root', scope: 'admin' })
    expect(await status('/api/v1/users', token)).toBe(200)
    const body = { name: 'more', scope: 'admin' }
    const more = await view.ask({ method: 'POST', url: '/api/v1/api-tokens', body, token })
    expect(more.statusCode).toBe(409)
    const all = await view.ask({
      ...{ method: 'DELETE', url: '/api/v1/session/all', body: {}, token },
    })
    expect(all.statusCode).toBe(409)
  })

  test('that is wrong is refused although the browser is logged in', async () => {
    const answer = await view.ask({ url: '/api/v1/fleet', session, token: 'harbinger_api_x' })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="harbinger"')
  })

  test.each([
    [{ name: 'x', scope: 'root' }],
    [{ name: 'x', scope: 'read', days: 0 }],
    [{ name: 'x', scope: 'read', days: 731 }],
    [{ name: '', scope: 'read' }],
    [{ name: 'a\nb', scope: 'read' }],
    [{ scope: 'read' }],
  ])('is not made of %j', async (body) => {
    const answer = await view.ask({ method: 'POST', url: '/api/v1/api-tokens', body, session })
    expect(answer.statusCode).toBe(400)
  })
})

describe('the audit log', () => {
  const rows = () =>
    view
      .audited()
      .map(({ who, action, target, outcome }) => `${who}|${action}|${target}|${outcome}`)

  test('holds every change with who, from where and to what, and no question', async () => {
    const token = await create({ name: 'ci', scope: 'operate' })
    await view.ask({ url: '/api/v1/fleet', session })
    await view.ask({ method: 'POST', url: '/api/v1/models/m-1/promote', body: {}, session })
    await view.ask({
      ...{ method: 'POST', url: '/api/v1/training', body: {}, token: token.token },
      from: '192.0.2.4',
    })
    await view.ask({
      ...{ method: 'POST', url: '/api/v1/servers/db01/what-if', body: {}, session },
    })
    await view.ask({ method: 'POST', url: '/api/v1/users/1/logout', body: {}, session })
    expect(rows()).toEqual([
      'ada|logged out everywhere|ada|done',
      'API token 1 (ci)|POST /api/v1/training||failed',
      'ada|POST /api/v1/models/:id/promote|m-1|failed',
      'ada|API token created|1 ci|done',
    ])
    expect(view.audited()[1]).toMatchObject({ address: '192.0.2.4', at: view.time.now })
  })

  test('holds what somebody known was refused, and wrong tokens once a minute', async () => {
    const viewer = view.enter('vic', 'viewer')
    await view.ask({ url: '/api/v1/users', session: viewer })
    await view.ask({ url: '/api/v1/fleet' })
    for (let i = 0; i < 3; i++) await view.ask({ url: '/api/v1/fleet', token: 'wrong' })
    expect(rows()).toEqual(['|GET /api/v1/fleet||refused', 'vic|GET /api/v1/users||refused'])
  })

  test('is shown to admins page by page, newest first, and filtered', async () => {
    const { audit } = view.people
    for (let i = 0; i < 5; i++) {
      audit.add({
        ...{ at: view.time.now, who: i % 2 ? 'bob' : 'ada', address: 'a', action: `do ${i}` },
        ...{ target: '', outcome: i === 3 ? 'refused' : 'done', detail: '' },
      })
    }
    const page = async (query: string) =>
      (await view.ask({ url: `/api/v1/audit?${query}`, session })).json() as {
        entries: { action: string }[]
        nextCursor: string | null
      }
    const first = await page('limit=3')
    expect(first.entries.map(({ action }) => action)).toEqual(['do 4', 'do 3', 'do 2'])
    const second = await page(`limit=3&cursor=${first.nextCursor}`)
    expect(second.entries.map(({ action }) => action)).toEqual(['do 1', 'do 0'])
    expect(second.nextCursor).toBeNull()
    expect((await page('who=bob')).entries).toHaveLength(2)
    expect((await page('outcome=refused')).entries.map(({ action }) => action)).toEqual(['do 3'])
  })

  test('is only ever added to', () => {
    const { db } = view.stores
    const add = { at: 1, who: '', address: '', action: 'x', target: '', detail: '' }
    view.people.audit.add({ ...add, outcome: 'done' })
    for (const sql of [
      'UPDATE audit_log SET who = 1',
      'DELETE FROM audit_log',
      "REPLACE INTO audit_log VALUES (1, 1, '', '', '', '', '', '')",
      'UPDATE audit_bounds SET keep_from = -1',
    ]) {
      expect(() => db.exec(sql), sql).toThrow(/append-only/)
    }
    expect(view.audited()).toHaveLength(1)
  })

  test('lets go of what is too old, and of refusals before anything else', () => {
    const { audit } = view.stores.people
    const add = { who: '', address: '', target: '', detail: '' }
    const day = 86_400_000
    audit.add({ ...add, at: 0, action: 'old', outcome: 'done' })
    for (let i = 0; i < 5; i++)
      audit.add({ ...add, at: 10 * day, action: 'no', outcome: 'refused' })
    audit.add({ ...add, at: 10 * day, action: 'kept', outcome: 'done' })
    for (let i = 0; i < 5; i++)
      audit.add({ ...add, at: 10 * day, action: 'no', outcome: 'refused' })
    const limits = { days: 365, rows: 100, refusedRows: 3 }
    expect(audit.forget(11 * day, limits)).toBe(7)
    const left = () => view.audited().map(({ action }) => action)
    expect(left()).toEqual(['no', 'no', 'no', 'kept', 'old'])
    expect(audit.forget(11 * day, { ...limits, days: 7 })).toBe(1)
    expect(left()).toEqual(['no', 'no', 'no', 'kept'])
    audit.add({ ...add, at: 11 * day, action: 'new', outcome: 'done' })
    expect(audit.forget(11 * day, { ...limits, rows: 1 })).toBe(4)
    expect(left()).toEqual(['new'])
    expect(audit.forget(999 * day, limits)).toBe(1)
    expect(left()).toEqual([])
  })
})
