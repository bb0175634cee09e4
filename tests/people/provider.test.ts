import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { roleOf } from '../../hub/src/people/provider.ts'
import { byTest, goodPassword, loginSettings } from '../view/memory-people.ts'
import { openPeopleView, sessionOf } from './open-people-view.ts'
import { clientId, clientSecret, openProvider } from './open-provider.ts'

const hubUrl = 'http://127.0.0.1:8080'
const settings = (issuer: string) => ({
  ...loginSettings,
  provider: {
    ...{ issuer, clientId, clientSecret, hubUrl, label: 'the test provider' },
    ...{ scopes: 'openid profile groups', nameClaim: 'preferred_username', roleClaim: 'groups' },
    roles: { admin: ['ops-leads'], operator: ['ops'], viewer: ['staff'] },
  },
})

let provider: Awaited<ReturnType<typeof openProvider>>
let view: Awaited<ReturnType<typeof openPeopleView>>
beforeAll(async () => {
  provider = await openProvider(`${hubUrl}/api/v1/oidc/callback`)
})
afterAll(() => provider.close())
beforeEach(async () => {
  view = await openPeopleView({ settings: settings(provider.issuer) })
  return () => view.close()
})

const ada = (...groups: string[]) => ({ sub: 'id-1', preferred_username: 'ada', groups })

async function depart(next = '/servers/db01?tab=1') {
  const answer = await view.ask({ url: `/api/v1/oidc/start?next=${encodeURIComponent(next)}` })
  expect(answer.statusCode).toBe(302)
  const cookie = String(answer.headers['set-cookie'])
  const ticket = /harbinger-sign-in=([\w-]+)/.exec(cookie)?.[1]
  return { url: new URL(String(answer.headers.location), 'http://hub'), cookie, ticket }
}

const arrive = (back: URL, ticket: string | undefined) =>
  view.ask({
    url: back.pathname + back.search,
    ...(ticket && { headers: { cookie: `harbinger-sign-in=${ticket}` } }),
  })

async function signIn() {
  const { url, ticket } = await depart()
  return arrive(await provider.pass(url.href), ticket)
}

const refusedFor = (answer: Awaited<ReturnType<typeof arrive>>) => {
  expect(answer.statusCode).toBe(302)
  expect(sessionOf(answer)).toBeUndefined()
  return String(answer.headers.location)
}
const who = async (session: string | undefined) =>
  (await view.ask({ url: '/api/v1/session', session })).json()

test('a person comes back logged in, with the role of their group, where they were', async () => {
  expect(await who(undefined)).toMatchObject({
    ...{ mode: 'login', caller: null, provider: { label: 'the test provider' } },
  })
  provider.knows(ada('ops', 'choir'))
  const { url, cookie, ticket } = await depart()
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    ...{ response_type: 'code', code_challenge_method: 'S256' },
    ...{ state: expect.any(String), nonce: expect.any(String), code_challenge: expect.any(String) },
  })
  // Strict would stay behind on the way back from another site.
  expect(cookie).toMatch(
    /^harbinger-sign-in=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/,
  )
  const back = await provider.pass(url.href)
  const answer = await arrive(back, ticket)
  expect(answer.headers.location).toBe('/servers/db01?tab=1')
  expect((await who(sessionOf(answer))).caller).toEqual({
    ...{ name: 'ada', role: 'operator', kind: 'user', hasPassword: false },
  })
  expect(view.audited()[0]).toMatchObject({ action: 'logged in', detail: 'the test provider' })

  // Once: who has seen the address in a log cannot use it again.
  expect(refusedFor(await arrive(back, ticket))).toBe('/login?problem=expired')
})

test('the role follows the provider, at each sign-in; without one the door is shut', async () => {
  provider.knows(ada('staff'))
  const first = sessionOf(await signIn())
  expect((await who(first)).caller.role).toBe('viewer')
  provider.knows({ ...ada('ops-leads', 'staff'), preferred_username: 'ada.l' })
  const second = sessionOf(await signIn())
  expect((await who(second)).caller).toMatchObject({ name: 'ada', role: 'admin' })
  expect(view.people.accounts.users()).toHaveLength(1)
  provider.knows(ada('choir'))
  expect(refusedFor(await signIn())).toBe('/login?problem=no-role')
  expect([(await who(first)).caller, (await who(second)).caller]).toEqual([null, null])
})

test('nobody becomes a user of this hub by taking their name at the provider', async () => {
  const boss = { name: 'ADA', role: 'admin', password: goodPassword } as const
  await view.people.accounts.addUser(boss, byTest)
  provider.knows(ada('staff'))
  expect(refusedFor(await signIn())).toBe('/login?problem=name-taken')
  expect(view.people.accounts.users()).toMatchObject([{ source: 'local', role: 'admin' }])
})

describe('what comes back and is not as it left is refused', () => {
  beforeEach(() => provider.knows(ada('ops-leads')))

  test('without the cookie of this browser', async () => {
    const { url } = await depart()
    const back = await provider.pass(url.href)
    expect(refusedFor(await arrive(back, undefined))).toBe('/login?problem=expired')
    expect(refusedFor(await arrive(back, 'A'.repeat(43)))).toBe('/login?problem=expired')
  })

  test('later than ten minutes', async () => {
    const { url, ticket } = await depart()
    const back = await provider.pass(url.href)
    view.time.now += 600_001
    expect(refusedFor(await arrive(back, ticket))).toBe('/login?problem=expired')
  })

  test.each(['state', 'code', 'iss'])('with another %s', async (parameter) => {
    const { url, ticket } = await depart()
    const back = await provider.pass(url.href)
    expect(back.searchParams.has(parameter)).toBe(true)
    back.searchParams.set(parameter, 'https://evil.example')
    expect(refusedFor(await arrive(back, ticket))).toBe('/login?problem=refused')
  })

  test('with the code of another departure: its verifier is not ours', async () => {
    const [mine, theirs] = [await depart(), await depart()]
    const back = await provider.pass(theirs.url.href)
    back.searchParams.set('state', mine.url.searchParams.get('state')!)
    expect(refusedFor(await arrive(back, mine.ticket))).toBe('/login?problem=refused')
  })

  test('with an ID token for another nonce', async () => {
    const { url, ticket } = await depart()
    url.searchParams.set('nonce', 'another')
    const back = await provider.pass(url.href)
    expect(refusedFor(await arrive(back, ticket))).toBe('/login?problem=refused')
    expect(view.audited()[0]).toMatchObject({ action: 'log in', outcome: 'refused' })
  })

  test('with a problem of the provider instead of a code', async () => {
    const { url, ticket } = await depart()
    const back = new URL(`${hubUrl}/api/v1/oidc/callback?error=access_denied`)
    back.searchParams.set('state', url.searchParams.get('state')!)
    expect(refusedFor(await arrive(back, ticket))).toBe('/login?problem=refused')
  })
})

test('a provider that is not there, or is another, is said, and a password still works', async () => {
  for (const issuer of ['http://127.0.0.1:1', `${provider.issuer}/other`]) {
    const lost = await openPeopleView({ settings: settings(issuer) })
    const answer = await lost.ask({ url: '/api/v1/oidc/start' })
    expect(answer.headers.location).toBe('/login?problem=unreachable')
    await lost.close()
  }
})

test.each([
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['https://evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['/login?problem=x', '/'],
  ['/servers?sort=-risk', '/servers?sort=-risk'],
])('after signing in, %j leads to %s', async (next, expected) => {
  provider.knows(ada('ops'))
  const { url, ticket } = await depart(next)
  const answer = await arrive(await provider.pass(url.href), ticket)
  expect(answer.headers.location).toBe(expected)
})

test.each([
  [{ groups: ['a', 'ops'] }, 'groups', 'operator'],
  [{ groups: 'leads' }, 'groups', 'admin'],
  [{ realm_access: { roles: ['leads', 'ops'] } }, 'realm_access.roles', 'admin'],
  [{ 'https://x.example/roles': ['ops'] }, 'https://x.example/roles', 'operator'],
  [{ groups: [] }, 'groups', 'viewer'],
  [{}, 'groups', 'viewer'],
  [{ groups: { ops: true } }, 'groups', 'viewer'],
  [{}, '__proto__', 'viewer'],
])('%j by %s is %s', (claims, roleClaim, role) => {
  const roles = { admin: ['leads'], operator: ['ops'], viewer: ['*'] }
  expect(roleOf(claims, { roleClaim, roles })).toBe(role)
})

test('without a value that makes everybody a viewer, no claim is no role', () => {
  const roles = { admin: [], operator: ['ops'], viewer: ['staff'] }
  expect(roleOf({ groups: ['Staff'] }, { roleClaim: 'groups', roles })).toBeUndefined()
})
