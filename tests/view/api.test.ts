import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  FleetSchema,
  ForecastSchema,
  HealthSchema,
  SamplesSchema,
  ServerDetailSchema,
  ServersPage,
} from '@harbinger/shared/api'
import { ExplanationSchema, WhatIfSchema } from '@harbinger/shared/explanation'
import type { TSchema } from 'typebox'
import { Check } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { viewApp } from '../../hub/src/view/view-app.ts'
import { fakeLog, fakeSources, manyRows, serverRow } from './fake-sources.ts'

const host = '127.0.0.1'
const directory = mkdtempSync(join(tmpdir(), 'harbinger-ui-'))
const page = '<!doctype html><title>Harbinger</title>'
const script = 'console.log(1)\n'.repeat(100)

const open = async (rows = [serverRow('db01'), serverRow('web.01')], overrides = {}) => {
  const { lines, log } = fakeLog()
  const fake = fakeSources(rows, overrides)
  const { app, routes } = await viewApp({
    sources: fake.sources,
    host,
    uiDirectory: directory,
    log,
  })
  return { app, routes, lines, ...fake }
}

let view: Awaited<ReturnType<typeof open>>
beforeAll(async () => {
  mkdirSync(join(directory, 'assets'))
  writeFileSync(join(directory, 'index.html'), page)
  writeFileSync(join(directory, 'assets', 'app-1a2b3c.js'), script)
  writeFileSync(join(directory, 'assets', 'app-1a2b3c.js.gz'), gzipSync(script))
  view = await open()
})
afterAll(async () => {
  await view.app.close()
  rmSync(directory, { recursive: true })
})

const get = (url: string, headers: Record<string, string> = {}) =>
  view.app.inject({ url, headers: { host, ...headers } })

describe('answers follow their schema', () => {
  const answers: [string, TSchema][] = [
    ['/api/v1/health', HealthSchema],
    ['/api/v1/fleet', FleetSchema],
    ['/api/v1/servers', ServersPage],
    ['/api/v1/servers/db01', ServerDetailSchema],
    ['/api/v1/servers/DB01', ServerDetailSchema],
    ['/api/v1/servers/web.01/samples', SamplesSchema],
    ['/api/v1/servers/db01/forecast', ForecastSchema],
    ['/api/v1/servers/db01/explanation', ExplanationSchema],
    ['/api/v1/servers/db01/explanation?metric=mem_used_pct', ExplanationSchema],
  ]
  test.each(answers)('%s', async (url, schema) => {
    const answer = await get(url)
    expect(answer.statusCode).toBe(200)
    expect(Check(schema, answer.json())).toBe(true)
    expect(answer.headers['cache-control']).toBe('no-store')
  })
})

describe('what is refused says why', () => {
  const refused: [string, number, RegExp][] = [
    ['/api/v1/servers/nobody', 404, /no server is named "nobody"/],
    ['/api/v1/servers/nobody/samples', 404, /no server is named/],
    ['/api/v1/servers/nobody/forecast', 404, /no server is named/],
    ['/api/v1/servers/a%20b', 400, /path name: .*got "a b"/],
    ['/api/v1/servers/%2e%2e%2fetc', 400, /path name/],
    ['/api/v1/servers/%ff', 400, /%ff/],
    ['/api/v1/servers?limit=0', 400, /query limit: must be >= 1, got 0/],
    ['/api/v1/servers?limit=1001', 400, /query limit: must be <= 1000/],
    ['/api/v1/servers?limit=many', 400, /query limit: must be integer/],
    ['/api/v1/servers?profile=toaster', 400, /query profile: must be one of ml_compute/],
    ['/api/v1/servers?severity=bad', 400, /query severity: must be one of/],
    ['/api/v1/servers?sort=colour', 400, /sort: must be name, risk/],
    ['/api/v1/servers?sort=DROP', 400, /query sort/],
    ['/api/v1/servers?cursor=abc', 400, /cursor: must be the nextCursor/],
    ['/api/v1/servers/db01/samples?from=yesterday', 400, /query from: .*date-time/],
    [
      '/api/v1/servers/db01/samples?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z',
      400,
      /query from: must be before to/,
    ],
    ['/api/v1/servers/db01/samples?step=0', 400, /query step/],
    ['/api/v1/servers/nobody/explanation', 404, /no server is named/],
    [
      '/api/v1/servers/db01/explanation?metric=mood',
      400,
      /query metric: must be one of cpu_user_pct/,
    ],
    ['/api/v1/nothing', 404, /does not exist/],
    ['/api/v2/servers', 404, /does not exist/],
    ['/assets/gone.js', 404, /does not exist/],
    ['/../../etc/passwd', 404, /does not exist/],
  ]
  test.each(refused)('%s', async (url, status, message) => {
    const answer = await get(url)
    expect(answer.statusCode).toBe(status)
    expect(answer.json()).toEqual({
      error: { code: expect.any(String), message: expect.stringMatching(message) },
    })
  })

  test('a failure inside is in the log, not in the answer', async () => {
    const broken = await open([], {
      fleet: () => {
        throw new Error('the disk is gone: /var/lib/secret')
      },
    })
    const answer = await broken.app.inject({ url: '/api/v1/fleet', headers: { host } })
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toContain('secret')
    expect(answer.json().error.code).toBe('internal')
    expect(broken.lines[0]?.fields).toMatchObject({ url: '/api/v1/fleet' })
    await broken.app.close()
  })
})

describe('only its own pages may use the hub', () => {
  test.each(['localhost', 'localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'LOCALHOST'])(
    'answers to %s',
    async (name) => expect((await get('/api/v1/health', { host: name })).statusCode).toBe(200),
  )

  test.each([
    'evil.example',
    'localhost.evil.example:8080',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    'a@localhost',
  ])('does not answer to %s', async (name) => {
    const answer = await get('/api/v1/health', { host: name })
    expect(answer.statusCode).toBe(403)
    expect(answer.json().error.code).toBe('forbidden_host')
  })

  test('a page of another origin is refused', async () => {
    const foreign = await get('/api/v1/fleet', { origin: 'http://evil.example' })
    expect(foreign.json().error.code).toBe('forbidden_origin')
    expect((await get('/api/v1/fleet', { origin: `http://${host}` })).statusCode).toBe(200)
  })

  test('every answer carries the security headers', async () => {
    for (const url of ['/', '/api/v1/health', '/nothing', '/api/docs']) {
      const { headers } = await get(url)
      expect(headers['content-security-policy']).toContain("default-src 'self'")
      expect(headers['content-security-policy']).not.toContain("script-src 'self' 'unsafe")
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })
})

describe('scenario', () => {
  const post = (
    { app }: Awaited<ReturnType<typeof open>>,
    payload: string,
    type = 'application/json',
  ) =>
    app.inject({
      method: 'POST',
      url: '/api/v1/scenario',
      headers: { host, 'content-type': type },
      payload,
    })

  test('is not there without a demo fleet', async () => {
    const answer = await post(view, '{"scenario":"critical"}')
    expect(answer.statusCode).toBe(404)
    expect(answer.json().error.message).toMatch(/no demo fleet runs/)
  })

  test('reaches the demo fleet, and only well-formed', async () => {
    const setScenario = vi.fn(async () => {})
    const demo = await open([], { setScenario })
    expect((await post(demo, '{"scenario":"critical"}')).json()).toEqual({ scenario: 'critical' })
    expect(setScenario).toHaveBeenCalledExactlyOnceWith('critical')
    expect((await post(demo, '{"scenario":"doom"}')).statusCode).toBe(400)
    expect((await post(demo, '{"scenario":')).statusCode).toBe(400)
    expect((await post(demo, '{"scenario":"critical"}', 'text/plain')).statusCode).toBe(415)
    expect(
      (await post(demo, 'scenario=critical', 'application/x-www-form-urlencoded')).statusCode,
    ).toBe(415)
    expect(setScenario).toHaveBeenCalledTimes(1)
    await demo.app.close()
  })
})

describe('what-if', () => {
  const post = (url: string, payload: unknown, app = view.app) =>
    app.inject({
      ...{ method: 'POST', url, headers: { host, 'content-type': 'application/json' } },
      payload: JSON.stringify(payload),
    })
  const half = { changes: [{ metric: 'cpu_user_pct', multiply: 0.5 }], minutes: 60 }

  test('answers both forecasts and their difference', async () => {
    const answer = await post('/api/v1/servers/db01/what-if', half)
    expect(answer.statusCode).toBe(200)
    expect(Check(WhatIfSchema, answer.json())).toBe(true)
  })

  test.each([
    [
      { changes: [{ metric: 'mood', set: 1 }] },
      /body changes.0.metric: must be one of cpu_user_pct/,
    ],
    [
      { changes: [{ metric: 'mem_used_pct', multiply: -1 }] },
      /body changes.0.multiply: must be >= 0, got -1/,
    ],
    [{ changes: [{ metric: 'mem_used_pct', halve: true }] }, /body changes.0.halve: is not known/],
    [
      { changes: Array(13).fill({ metric: 'mem_used_pct', set: 1 }) },
      /body changes: must NOT have more than 12/,
    ],
    [{ ...half, minutes: 14 }, /body minutes: must be >= 15, got 14/],
    [{ ...half, minutes: 1441 }, /body minutes: must be <= 1440/],
    [{ ...half, cores: 0 }, /body cores: must be >= 1, got 0/],
    [{ ...half, profile: 'toaster' }, /body profile: must be one of ml_compute/],
    [{ ...half, colour: 'red' }, /body colour: is not known/],
    [[], /body/],
  ])('%j is refused with field and reason', async (body, reason) => {
    const answer = await post('/api/v1/servers/db01/what-if', body)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().error.message).toMatch(reason)
  })

  test('a refusal of the hub is a conflict or a bad request, in its words', async () => {
    for (const [kind, status, code] of [
      ['conflict', 409, 'no_forecast'],
      ['invalid', 400, 'invalid_request'],
    ] as const) {
      const { app } = await open(undefined, { whatIf: async () => ({ refused: 'because', kind }) })
      const answer = await post('/api/v1/servers/db01/what-if', half, app)
      expect([answer.statusCode, answer.json()]).toEqual([
        status,
        { error: { code, message: 'because' } },
      ])
      await app.close()
    }
    expect((await post('/api/v1/servers/nobody/what-if', half)).statusCode).toBe(404)
  })
})

describe('user interface', () => {
  test('one page answers at every address of a page', async () => {
    for (const url of ['/', '/servers', '/servers/web.01', '/alerts?open=1']) {
      const answer = await get(url, { accept: 'text/html,*/*' })
      expect(answer.statusCode).toBe(200)
      expect(answer.body).toBe(page)
      expect(answer.headers['cache-control']).toBe('no-cache')
    }
  })

  test('hashed files are kept for ever and sent compressed', async () => {
    const answer = await get('/assets/app-1a2b3c.js', { 'accept-encoding': 'gzip' })
    expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(answer.headers['content-encoding']).toBe('gzip')
    expect(answer.headers['content-type']).toMatch(/javascript/)
    expect((await get('/assets/app-1a2b3c.js')).body).toBe(script)
  })

  test('an API address never answers with the page', async () => {
    expect((await get('/api/v1/nothing', { accept: 'text/html' })).json().error.code).toBe(
      'not_found',
    )
  })

  test('says so while it is not built', async () => {
    const { log } = fakeLog()
    const { app } = await viewApp({
      sources: fakeSources([]).sources,
      host,
      uiDirectory: join(directory, 'absent'),
      log,
    })
    expect((await app.inject({ url: '/', headers: { host } })).body).toMatch(/not built/)
    await app.close()
  })
})

test('a page of 1,000 servers takes no longer than 100 ms', async () => {
  const large = await open(manyRows(1000))
  const times: number[] = []
  for (let i = 0; i < 10; i++) {
    const begin = performance.now()
    const answer = await large.app.inject({
      url: '/api/v1/servers?limit=1000&sort=-risk',
      headers: { host },
    })
    times.push(performance.now() - begin)
    expect(answer.json().servers).toHaveLength(1000)
  }
  // The fastest of ten: the others tell how busy the machine is.
  expect(Math.min(...times)).toBeLessThan(100)
  await large.app.close()
})
