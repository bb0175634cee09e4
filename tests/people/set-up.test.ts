import { expect, test } from 'vitest'
import { byTest, goodPassword } from '../view/memory-people.ts'
import { openPeopleView, sessionOf } from './open-people-view.ts'

const beyond = { isLoopback: false }

const setUp = (view: Awaited<ReturnType<typeof openPeopleView>>, body: object, from?: string) =>
  view.ask({ method: 'POST', url: '/api/v1/set-up', body, ...(from && { from }) })

test('a hub without users that others reach serves the page that makes the first admin, and nothing else', async () => {
  const view = await openPeopleView(beyond)
  const statuses: Record<string, number> = {}
  for (const { method, url, access } of view.routes) {
    if (method !== 'GET' || url.includes(':') || access === 'public') continue
    statuses[url] = (await view.ask({ url: url.replace('*', 'x.js') })).statusCode
  }
  expect(Object.keys(statuses).length).toBeGreaterThan(10)
  expect(new Set(Object.values(statuses))).toEqual(new Set([401]))
  const refused = await view.ask({ url: '/api/v1/fleet' })
  expect(refused.json().error).toEqual({
    code: 'set_up_first',
    message: expect.stringMatching(/open its page \/set-up/),
  })
  const session = (await view.ask({ url: '/api/v1/session' })).json()
  expect(session).toEqual({ mode: 'setup', caller: null, provider: null, notice: null })
  await view.close()
})

test('the set-up secret is in the log, makes one admin, and is worth nothing afterwards', async () => {
  const lines: { fields: object; message: string }[] = []
  const log = {
    info() {},
    error() {},
    warn: (fields: object, message: string) => void lines.push({ fields, message }),
  }
  const view = await openPeopleView({ ...beyond, log })
  view.people.announce('http://10.0.0.1:8080')
  const secret = view.secret.get()
  expect(lines[0]!.fields).toEqual({ page: 'http://10.0.0.1:8080/set-up', setUpSecret: secret })
  expect(secret).toMatch(/^([2-9a-z0]{4}-){5}[2-9a-z0]{4}$/)

  const body = { secret, name: 'ada', password: goodPassword }
  expect((await setUp(view, { ...body, secret: 'guessed' })).statusCode).toBe(401)
  expect((await setUp(view, { ...body, password: 'short' })).statusCode).toBe(400)
  expect((await setUp(view, { ...body, name: 'a b' })).statusCode).toBe(400)
  const done = await setUp(view, { ...body, secret: ` ${secret.toUpperCase()} ` })
  expect(done.json()).toMatchObject({ mode: 'login', caller: { name: 'ada', role: 'admin' } })
  expect((await view.ask({ url: '/api/v1/users', session: sessionOf(done) })).statusCode).toBe(200)

  expect((await setUp(view, { ...body, name: 'eve' })).statusCode).toBe(409)
  expect(view.secret.is(secret)).toBe(false)
  expect(JSON.stringify(view.audited())).not.toContain(secret)
  await view.close()
})

test('of several who set it up at the same moment, one does', async () => {
  const view = await openPeopleView(beyond)
  const secret = view.secret.get()
  const answers = await Promise.all(
    ['ada', 'bob', 'eve'].map((name, i) =>
      setUp(view, { secret, name, password: goodPassword }, `192.0.2.${i}`),
    ),
  )
  expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 409, 409])
  expect(view.people.accounts.users()).toHaveLength(1)
  await view.close()
})

test('guessing the set-up secret is slowed down', async () => {
  const view = await openPeopleView(beyond)
  const guess = () => setUp(view, { secret: 'x', name: 'eve', password: goodPassword })
  for (let i = 0; i < 5; i++) expect((await guess()).statusCode).toBe(401)
  expect((await guess()).statusCode).toBe(429)
  await view.close()
})

test('the first user is an admin, also from the command line', async () => {
  const view = await openPeopleView(beyond)
  const viewer = { name: 'ada', role: 'viewer', password: goodPassword } as const
  expect(await view.people.accounts.addUser(viewer, byTest)).toMatchObject({
    refused: 'the first user of a hub is an admin',
  })
  await view.close()
})
