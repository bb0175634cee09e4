import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { viewApp } from '../../hub/src/view/view-app.ts'
import { fakeLog, fakeSources } from './fake-sources.ts'

type Operation = {
  readonly summary?: string
  readonly responses: {
    readonly [status: string]: {
      readonly content?: { readonly [type: string]: { schema: object } }
    }
  }
}
type Document = {
  readonly openapi: string
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } }
}

const host = 'localhost'
let view: Awaited<ReturnType<typeof viewApp>>
let document: Document
beforeAll(async () => {
  const { log } = fakeLog()
  view = await viewApp({ sources: fakeSources([]).sources, host, uiDirectory: '/nowhere', log })
  document = (await view.app.inject({ url: '/api/openapi.json', headers: { host } })).json()
})
afterAll(() => view.app.close())

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

test('describes every route of the API', () => {
  const described = operations().map(
    ({ path, method }) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
  )
  const served = view.routes
    .filter(({ method, url }) => method !== 'HEAD' && /^\/(api\/v1|metrics)/.test(url))
    .map(({ method, url }) => `${method} ${url}`)
  expect(served.length).toBeGreaterThanOrEqual(9)
  expect(described).toEqual(expect.arrayContaining(served))
})

test('every operation says what it answers, in a valid schema', () => {
  expect(document.openapi).toBe('3.1.0')
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  for (const { path, operation } of operations()) {
    expect(operation.summary, path).toBeTruthy()
    const schema = Object.values(operation.responses['200']?.content ?? {})[0]?.schema
    expect(schema, path).toBeDefined()
    expect(() => ajv.compile(schema!), path).not.toThrow()
  }
})

test('an optional query parameter is described as optional', () => {
  const { parameters } = document.paths['/api/v1/servers']!['get'] as unknown as {
    parameters: { name: string; required?: boolean }[]
  }
  expect(parameters.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['search', 'sort', 'limit', 'cursor']),
  )
  expect(parameters.filter(({ required }) => required)).toEqual([])
})

test('every route says who may call it; only what changes something needs more than looking', () => {
  const isUnsafe = ({ method }: { method: string }) => !['GET', 'HEAD'].includes(method)
  const changing = view.routes.filter((route) => route.access === 'operate' && isUnsafe(route))
  expect(changing.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
    'POST /api/v1/agents/:name/allow-rejoin',
    'POST /api/v1/agents/:name/revoke',
    'POST /api/v1/models/:id/promote',
    'POST /api/v1/models/rollback',
    'POST /api/v1/scenario',
    'POST /api/v1/tokens',
    'POST /api/v1/tokens/:id/revoke',
    'POST /api/v1/training',
    'POST /api/v1/training/:id/cancel',
  ])
  const unsafe = view.routes.filter(isUnsafe)
  // A question too long for an address; nothing is kept of it.
  const asking = { method: 'POST', url: '/api/v1/servers/:name/what-if', access: 'read' }
  // Agents have no login: a token, or the key of the certificate so far, is their right to ask.
  const joining = ['/api/v1/enroll', '/api/v1/enroll/renew'].map((url) => ({
    ...{ method: 'POST', url, access: 'public' },
  }))
  expect(unsafe).toEqual(expect.arrayContaining([...changing, asking, ...joining]))
  expect(unsafe).toHaveLength(changing.length + 3)
})

test('the readable form needs nothing from elsewhere', async () => {
  const page = await view.app.inject({ url: '/api/docs', headers: { host } })
  const { body, statusCode } =
    page.statusCode === 302
      ? await view.app.inject({ url: String(page.headers.location), headers: { host } })
      : page
  expect(statusCode).toBe(200)
  expect(body).not.toMatch(/(src|href)="https?:/)
  const files = [...body.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, url]) => url!)
  expect(files.length).toBeGreaterThan(2)
  for (const file of files) {
    const url = new URL(file, 'http://localhost/api/docs/').pathname
    expect((await view.app.inject({ url, headers: { host } })).statusCode, url).toBe(200)
  }
})
