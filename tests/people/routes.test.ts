import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Access } from '../../hub/src/view/access.ts'
import { byTest } from '../view/memory-people.ts'
import { openPeopleView } from './open-people-view.ts'

/**
 * Every route of the hub and who may call it. A route that is not here fails the tests: write it down, after asking
 * yourself who should.
 */
const table: { readonly [route: string]: Access } = {
  'GET /': 'public',
  'GET /api/docs': 'read',
  'GET /api/docs/static/index.html': 'read',
  'GET /api/docs/static/swagger-initializer.js': 'read',
  'GET /api/docs/json': 'read',
  'GET /api/docs/yaml': 'read',
  'GET /api/docs/static/*': 'read',
  'GET /api/openapi.json': 'read',
  'GET /api/v1/accuracy': 'read',
  'GET /api/v1/agents': 'operate',
  'POST /api/v1/agents/:name/allow-rejoin': 'admin',
  'POST /api/v1/agents/:name/revoke': 'admin',
  'GET /api/v1/api-tokens': 'admin',
  'POST /api/v1/api-tokens': 'admin',
  'DELETE /api/v1/api-tokens/:id': 'admin',
  'GET /api/v1/audit': 'admin',
  // Agents have no login: a token, or the key of the certificate so far, is their right to ask.
  'POST /api/v1/enroll': 'public',
  'POST /api/v1/enroll/renew': 'public',
  'POST /api/v1/enroll/check': 'public',
  'GET /api/v1/fleet': 'read',
  'GET /api/v1/health': 'public',
  'GET /api/v1/intervals': 'read',
  'GET /api/v1/intervals/estimate': 'read',
  'PUT /api/v1/intervals': 'admin',
  'DELETE /api/v1/intervals': 'admin',
  'GET /api/v1/models': 'read',
  'GET /api/v1/models/:id': 'read',
  'POST /api/v1/models/:id/promote': 'operate',
  'POST /api/v1/models/rollback': 'operate',
  'GET /api/v1/oidc/callback': 'public',
  'GET /api/v1/oidc/start': 'public',
  'POST /api/v1/scenario': 'operate',
  'GET /api/v1/retired': 'read',
  'GET /api/v1/servers': 'read',
  'GET /api/v1/servers/:name': 'read',
  'POST /api/v1/servers/:name/bring-back': 'operate',
  'POST /api/v1/servers/:name/retire': 'operate',
  'GET /api/v1/servers/:name/explanation': 'read',
  'GET /api/v1/servers/:name/forecast': 'read',
  'GET /api/v1/servers/:name/samples': 'read',
  // A question too long for an address; nothing is kept of it.
  'POST /api/v1/servers/:name/what-if': 'read',
  'GET /api/v1/session': 'public',
  'POST /api/v1/session': 'public',
  'DELETE /api/v1/session': 'public',
  'DELETE /api/v1/session/all': 'read',
  'POST /api/v1/session/password': 'read',
  'POST /api/v1/set-up': 'public',
  'GET /api/v1/stream': 'read',
  'GET /api/v1/tokens': 'operate',
  'POST /api/v1/tokens': 'admin',
  'POST /api/v1/tokens/:id/revoke': 'admin',
  'GET /api/v1/training': 'read',
  'POST /api/v1/training': 'operate',
  'GET /api/v1/training/:id': 'read',
  'POST /api/v1/training/:id/cancel': 'operate',
  'GET /api/v1/users': 'admin',
  'POST /api/v1/users': 'admin',
  'PATCH /api/v1/users/:id': 'admin',
  'DELETE /api/v1/users/:id': 'admin',
  'POST /api/v1/users/:id/logout': 'admin',
  'GET /metrics': 'read',
}

/** What each of them may, written out: the code under test is not asked. */
const callers: { readonly [caller: string]: readonly Access[] } = {
  stranger: ['public'],
  'a session that nobody has': ['public'],
  'a token that nobody has': ['public'],
  'an expired session': ['public'],
  'an expired token': ['public'],
  viewer: ['public', 'read'],
  'token to read': ['public', 'read'],
  operator: ['public', 'read', 'operate'],
  'token to operate': ['public', 'read', 'operate'],
  admin: ['public', 'read', 'operate', 'admin'],
  'token to admin': ['public', 'read', 'operate', 'admin'],
  'token to admin of who is only viewer': ['public', 'read'],
}

type View = Awaited<ReturnType<typeof openPeopleView>>
let view: View
beforeAll(async () => {
  // Nobody is let in to the stream, so that it answers at once.
  view = await openPeopleView({ isLoopback: false }, { stream: { maxClients: 0 } })
  view.enter('ada', 'admin')
})
afterAll(() => view.close())

/** What a caller shows, made anew: some routes end it. */
function shown(caller: string): { session?: string; token?: string } {
  const token = (scope: 'read' | 'operate' | 'admin', userId: number | null = null, days = 1) =>
    view.people.accounts.createToken({ name: caller, scope, days }, { by: byTest, userId }).token
  switch (caller) {
    case 'stranger':
      return {}
    case 'a session that nobody has':
      return { session: 'A'.repeat(43) }
    case 'a token that nobody has':
      return { token: `harbinger_api_${'A'.repeat(43)}` }
    case 'an expired session': {
      const session = view.enter('ada', 'admin')
      view.time.now += 9 * 3_600_000
      return { session }
    }
    case 'an expired token': {
      const expired = token('admin')
      view.time.now += 86_400_000
      return { token: expired }
    }
    case 'token to read':
      return { token: token('read') }
    case 'token to operate':
      return { token: token('operate') }
    case 'token to admin':
      return { token: token('admin') }
    case 'token to admin of who is only viewer': {
      view.enter('vic', 'viewer')
      return { token: token('admin', view.people.accounts.find('vic')!.id) }
    }
    default:
      return { session: view.enter(caller, caller as 'viewer') }
  }
}

const pathOf = (url: string) =>
  url.replace(':name', 'db01').replace(/:id/, '999999').replace('/*', '/swagger-ui.css')

test('the table has every route, and every route is in the table, with the access that is written here', () => {
  const served = view.routes
    .filter(({ method }) => method !== 'HEAD')
    .map(({ method, url, access }): [string, Access] => [`${method} ${url}`, access])
    // Written with and without a slash at the end, one route.
    .filter(([route]) => route === 'GET /' || !route.endsWith('/'))
  expect(Object.fromEntries(served.sort())).toEqual(
    Object.fromEntries(Object.entries(table).sort()),
  )
})

test('a HEAD may be asked by whoever may ask the GET', () => {
  const access = new Map(view.routes.map(({ method, url, access }) => [`${method} ${url}`, access]))
  const heads = view.routes.filter(({ method }) => method === 'HEAD')
  expect(heads.length).toBeGreaterThan(10)
  for (const { url, access: found } of heads) {
    // With a slash at the end it is the same route, told once.
    const get = access.get(`GET ${url}`) ?? access.get(`GET ${url.replace(/\/$/, '')}`)
    expect(found, url).toBe(get)
  }
})

/** All of them: a page of the log holds 500. */
const auditedRows = () =>
  (view.stores.db.prepare('SELECT count(*) AS n FROM audit_log').get() as { n: number }).n

describe.each(Object.entries(callers))('%s', (caller, may) => {
  test.each(Object.entries(table))('%s (%s)', async (route, access) => {
    const [method, url] = route.split(' ') as ['GET' | 'POST', string]
    const { session, token } = shown(caller)
    const before = auditedRows()
    const answer = await view.ask({
      ...{ method, url: pathOf(url), session, token },
      ...(method !== 'GET' && { body: {} }),
    })
    const isIn = may.includes(access)
    if (isIn) {
      expect([401, 403]).not.toContain(answer.statusCode)
      // Nothing of a change is done with an empty body or to what does not exist, but nothing breaks either.
      expect(answer.statusCode).not.toBe(500)
      return
    }
    const isKnown = may.includes('read')
    expect(answer.statusCode).toBe(isKnown ? 403 : 401)
    expect(answer.json().error.code).toBe(isKnown ? 'forbidden' : 'log_in_first')
    expect(answer.headers['set-cookie']).toBeUndefined()
    if (isKnown) expect(auditedRows()).toBe(before + 1)
  })
})

test('a page that is opened by hand leads to the login, and back', async () => {
  const answer = await view.ask({ url: '/api/docs', headers: { accept: 'text/html' } })
  expect(answer.statusCode).toBe(302)
  expect(answer.headers.location).toBe('/login?next=%2Fapi%2Fdocs')
})

test('a stranger is told that the hub lives and which contract it speaks, and no more', async () => {
  expect((await view.ask({ url: '/api/v1/health' })).json()).toEqual({
    status: 'ok',
    contractVersion: '1.0.0',
  })
  const { session } = shown('viewer')
  const told = (await view.ask({ url: '/api/v1/health', session })).json()
  expect(told).toMatchObject({ version: '0.1.0', login: { mode: 'login', notice: null } })
})
