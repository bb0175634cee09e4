import { afterEach, expect, test } from 'vitest'
import { byTest, goodPassword } from '../view/memory-people.ts'
import { openPeopleView, sessionOf } from './open-people-view.ts'

type View = Awaited<ReturnType<typeof openPeopleView>>
const open: View[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((view) => view.close()))
})

async function start(...options: Parameters<typeof openPeopleView>) {
  const view = await openPeopleView(...options)
  open.push(view)
  return view
}

async function withUser(...options: Parameters<typeof openPeopleView>) {
  const view = await start(...options)
  await view.people.accounts.addUser({ name: 'Ada', role: 'admin', password: goodPassword }, byTest)
  return view
}

const login = (view: View, name = 'ada', password = goodPassword, more = {}) =>
  view.ask({ method: 'POST', url: '/api/v1/session', body: { name, password }, ...more })
const who = async (view: View, session: string | undefined) =>
  (await view.ask({ url: '/api/v1/session', session })).json().caller

const hour = 3_600_000

test('the right password opens a session in a cookie that scripts and other sites do not get', async () => {
  const view = await withUser()
  expect((await view.ask({ url: '/api/v1/fleet' })).statusCode).toBe(401)
  const answer = await login(view)
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['set-cookie']).toMatch(
    /^harbinger-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
  )
  const session = sessionOf(answer)
  expect(await who(view, session)).toEqual({
    ...{ name: 'Ada', role: 'admin', kind: 'user', hasPassword: true },
  })
  expect((await view.ask({ url: '/api/v1/fleet', session })).statusCode).toBe(200)
  // The table holds a hash: who reads it cannot log in with it.
  const kept = view.stores.db.prepare('SELECT hash FROM user_sessions').all() as { hash: Buffer }[]
  expect(kept.map(({ hash }) => hash.length)).toEqual([32])
  expect(JSON.stringify(kept)).not.toContain(session)
})

test('behind a trusted proxy with https the cookie is Secure and of this host alone, and https stays', async () => {
  const view = await withUser({}, { trustedProxies: ['127.0.0.1'] })
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7' }
  const answer = await login(view, 'ada', goodPassword, { headers })
  expect(answer.headers['set-cookie']).toMatch(
    /^__Host-harbinger-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  )
  expect(answer.headers['strict-transport-security']).toBe('max-age=31536000')
  expect(view.audited()[0]).toMatchObject({ who: 'Ada', address: '192.0.2.7' })
  // The cookie of plain http is not the one of https.
  const session = sessionOf(answer)
  const fleet = await view.ask({ url: '/api/v1/fleet', headers, session })
  expect(fleet.statusCode).toBe(401)
  expect((await view.ask({ url: '/api/v1/session' })).headers['strict-transport-security']).toBe(
    undefined,
  )
})

test('browsers insist on https for as long as the settings say, or not at all', async () => {
  const headers = { 'x-forwarded-proto': 'https' }
  for (const [hstsSeconds, told] of [
    [60, 'max-age=60'],
    [0, undefined],
  ] as const) {
    const view = await withUser({}, { trustedProxies: ['127.0.0.1'], hstsSeconds })
    const answer = await view.ask({ url: '/api/v1/session', headers })
    expect(answer.headers['strict-transport-security']).toBe(told)
  }
})

test('a wrong password and a name that nobody has are one answer, and take as long', async () => {
  // Some 30 ms, which is more than anything else of a login.
  const view = await withUser({ cost: { memory: 8192, passes: 3, parallelism: 1 } })
  const timed = async (name: string) => {
    const began = performance.now()
    const answer = await login(view, name, 'not the password')
    return { ms: performance.now() - began, answer }
  }
  // Turn by turn, and the fastest of each, until they are alike: what else the machine does only slows them down.
  const fastest = (all: { ms: number }[]) => Math.min(...all.map(({ ms }) => ms))
  const ratio = () => fastest(unknown) / fastest(known)
  const known: Awaited<ReturnType<typeof timed>>[] = []
  const unknown: typeof known = []
  for (let i = 0; i < 20 && (i < 3 || ratio() < 0.5 || ratio() > 2); i++) {
    known.push(await timed('ada'))
    unknown.push(await timed(`nobody${i}`))
    // Later, so that nobody has to wait for having tried too often.
    view.time.now += 2 * hour
  }
  for (const { answer } of [...known, ...unknown]) {
    expect(answer.statusCode).toBe(401)
    expect(answer.json()).toEqual({
      error: { code: 'wrong_password', message: 'the name or the password is wrong' },
    })
  }
  expect(ratio()).toBeGreaterThan(0.5)
  expect(ratio()).toBeLessThan(2)
})

test('after five wrong passwords each try waits, longer each time, and other addresses do not', async () => {
  const view = await withUser()
  for (let i = 0; i < 5; i++) expect((await login(view, 'ADA', 'wrong')).statusCode).toBe(401)
  const refused = await login(view)
  expect(refused.statusCode).toBe(429)
  expect(refused.headers['retry-after']).toBe('1')
  expect(refused.json().error.message).toBe('too many tries: wait 1 s before the next one')
  view.time.now += 1000
  expect((await login(view, 'ada', 'wrong')).statusCode).toBe(401)
  expect((await login(view)).headers['retry-after']).toBe('2')
  // The one whose account it is sits elsewhere.
  expect((await login(view, 'ada', goodPassword, { from: '192.0.2.9' })).statusCode).toBe(200)
  view.time.now += 2000
  expect((await login(view)).statusCode).toBe(200)
  // Once right, all is forgiven.
  expect((await login(view, 'ada', 'wrong')).statusCode).toBe(401)
  expect((await login(view)).statusCode).toBe(200)
  const waits = view.audited().filter(({ detail }) => detail.startsWith('too many'))
  expect(waits.map(({ who }) => who)).toEqual(['ada', 'ada'])
})

test('many tries at once are many tries', async () => {
  const view = await withUser()
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => login(view, 'ada', 'a wrong password')),
  )
  const statuses = answers.map(({ statusCode }) => statusCode)
  expect(statuses.filter((status) => status === 401)).toHaveLength(5)
  expect(statuses.filter((status) => status === 429)).toHaveLength(7)
})

test('a session ends when it is not used for 8 hours, and after 7 days used or not', async () => {
  const view = await withUser()
  const idle = view.enter('ada', 'admin')
  view.time.now += 8 * hour
  expect(await who(view, idle)).toMatchObject({ name: 'Ada' })
  view.time.now += 8 * hour + 1
  expect(await who(view, idle)).toBeNull()

  const used = view.enter('ada', 'admin')
  for (let h = 0; h < 168; h += 7) {
    view.time.now += 7 * hour
    expect(await who(view, used)).toMatchObject({ name: 'Ada' })
  }
  view.time.now += 1
  expect(await who(view, used)).toBeNull()
  const left = view.stores.db.prepare('SELECT count(*) AS n FROM user_sessions').get()
  expect(left).toEqual({ n: 0 })
})

test('logging in again is another session, and the one before is over', async () => {
  const view = await withUser()
  const first = sessionOf(await login(view))
  const second = sessionOf(await login(view, 'ada', goodPassword, { session: first }))
  expect(second).not.toBe(first)
  expect(await who(view, first)).toBeNull()
  expect(await who(view, second)).toMatchObject({ name: 'Ada' })
})

test('logging out is here; logging out everywhere is everywhere', async () => {
  const view = await withUser()
  const [a, b, c] = [1, 2, 3].map(() => view.enter('ada', 'admin'))
  const remove = (url: string, session: string | undefined) =>
    view.ask({ method: 'DELETE', url, body: {}, session })
  const out = await remove('/api/v1/session', a)
  expect(out.headers['set-cookie']).toMatch(/^harbinger-session=; .*Max-Age=0/)
  expect([await who(view, a), await who(view, b)]).toEqual([null, expect.anything()])
  expect((await remove('/api/v1/session/all', b)).statusCode).toBe(200)
  expect([await who(view, b), await who(view, c)]).toEqual([null, null])
})

test('a new password needs the old one, and ends the other sessions', async () => {
  const view = await withUser()
  const [here, elsewhere] = [view.enter('ada', 'admin'), view.enter('ada', 'admin')]
  const change = (current: string, next: string) =>
    view.ask({
      ...{ method: 'POST', url: '/api/v1/session/password', body: { current, next } },
      session: here,
    })
  expect((await change('wrong', 'another four words here')).statusCode).toBe(400)
  const weak = await change(goodPassword, 'short')
  expect(weak.json().error.message).toMatch(/at least 12 characters, this has 5/)
  expect((await change(goodPassword, 'another four words here')).statusCode).toBe(200)
  expect(await who(view, here)).toMatchObject({ name: 'Ada' })
  expect(await who(view, elsewhere)).toBeNull()
  expect((await login(view)).statusCode).toBe(401)
  expect((await login(view, 'ada', 'another four words here')).statusCode).toBe(200)
})

test.each([
  ['a form of another site', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['a form that looks like text', { 'content-type': 'text/plain' }, 415],
  ['no type at all', {}, 415],
  [
    'a page of another origin',
    { 'content-type': 'application/json', origin: 'https://evil.example' },
    403,
  ],
  [
    'a page of another port, which is the same site',
    { 'content-type': 'application/json', origin: 'http://localhost:9999' },
    403,
  ],
  [
    'a browser that says it comes from elsewhere',
    { 'content-type': 'application/json', 'sec-fetch-site': 'same-site' },
    403,
  ],
  ['nothing of a page', { 'content-type': 'application/json', origin: 'null' }, 403],
])('with the cookie of an admin, %s changes nothing', async (_what, headers, status) => {
  const view = await withUser()
  const session = view.enter('ada', 'admin')
  const answer = await view.app.inject({
    ...{ method: 'POST', url: '/api/v1/users/1/logout', payload: '{}' },
    headers: { host: 'localhost', cookie: `harbinger-session=${session}`, ...headers } as Record<
      string,
      string
    >,
  })
  expect(answer.statusCode).toBe(status)
  expect(await who(view, session)).toMatchObject({ name: 'Ada' })
})

test('nor does a request without a body, which a page may send without asking first', async () => {
  const view = await withUser()
  const session = view.enter('ada', 'admin')
  for (const url of ['/api/v1/users/1/logout', '/api/v1/nothing']) {
    const answer = await view.ask({ method: 'POST', url, session })
    expect([answer.statusCode, answer.json().error.code]).toEqual([415, 'unsupported_media_type'])
    expect(answer.json().error.message).toMatch(/POST needs a JSON body with the header/)
  }
})

test('what a page of another site would need to know first is never told', async () => {
  const view = await withUser()
  const asked = await view.ask({
    ...{ method: 'OPTIONS', url: '/api/v1/users' },
    headers: {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    },
  })
  expect(asked.statusCode).toBe(403)
  expect(Object.keys(asked.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
})

test('a removed or demoted user may no more at the next request', async () => {
  const view = await withUser()
  const session = view.enter('bob', 'operator')
  const { id } = view.people.accounts.find('bob')!
  const train = () => view.ask({ method: 'POST', url: '/api/v1/training', body: {}, session })
  expect((await train()).statusCode).toBe(409)
  view.people.accounts.setRole(id, 'viewer', byTest)
  expect((await train()).statusCode).toBe(403)
  view.people.accounts.removeUser(id, byTest)
  expect((await train()).statusCode).toBe(401)
})

test('the last admin with a password stays', async () => {
  const view = await withUser()
  const session = view.enter('ada', 'admin')
  const ask = (method: 'PATCH' | 'DELETE', body: object) =>
    view.ask({ method, url: '/api/v1/users/1', body, session })
  for (const answer of [await ask('DELETE', {}), await ask('PATCH', { role: 'viewer' })]) {
    expect(answer.statusCode).toBe(409)
    expect(answer.json().error.message).toMatch(/Ada is the last admin with a password/)
  }
  view.enter('eve', 'admin')
  expect((await ask('PATCH', { role: 'viewer' })).json()).toMatchObject({ role: 'viewer' })
})

test('only the hub’s own machine is let in without login, and it is told so', async () => {
  const view = await start()
  const session = (await view.ask({ url: '/api/v1/session' })).json()
  expect(session).toMatchObject({ mode: 'open', caller: { kind: 'open', role: 'admin' } })
  expect(session.notice).toMatch(/^Nobody has to log in here: this hub listens on this machine/)
  expect((await view.ask({ url: '/api/v1/health' })).json().login.notice).toBe(session.notice)
  // What came through a proxy is from elsewhere, whatever address it came from last.
  for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) {
    const answer = await view.ask({ url: '/api/v1/fleet', headers: { [header]: '192.0.2.1' } })
    expect(answer.statusCode, header).toBe(401)
  }
  // Nothing is made that would outlive it.
  const user = { name: 'eve', role: 'admin', password: goodPassword }
  for (const [url, body] of [
    ['/api/v1/users', user],
    ['/api/v1/api-tokens', { name: 'x', scope: 'admin' }],
  ] as const) {
    const answer = await view.ask({ method: 'POST', url, body })
    expect([answer.statusCode, answer.json().error.code]).toEqual([409, 'set_up_first'])
  }
  await view.people.accounts.addUser({ ...user, role: 'admin' }, byTest)
  expect((await view.ask({ url: '/api/v1/fleet' })).statusCode).toBe(401)
})

test('a setting keeps loopback open although there are users', async () => {
  const { loginSettings } = await import('../view/memory-people.ts')
  const view = await withUser({ settings: { ...loginSettings, openOnLoopback: true } })
  expect((await view.ask({ url: '/api/v1/fleet' })).statusCode).toBe(200)
  const { notice } = (await view.ask({ url: '/api/v1/session' })).json()
  expect(notice).toMatch(/login.openOnLoopback is on/)
})
