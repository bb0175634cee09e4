import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type { RetiredServer, ServerSummary } from '@harbinger/shared/api'
import type { WhatIfRequest } from '@harbinger/shared/explanation'
import type { Role } from '@harbinger/shared/people-api'
import { explanationOf, whatIfOf, withheldExplanation } from '../view/fake-explanation.ts'
import { mockAccuracy } from './mock-accuracy.ts'
import { mockEnrolment } from './mock-enrolment.ts'
import { mockFleet } from './mock-fleet.ts'
import { mockIntervals } from './mock-intervals.ts'
import { mockModels } from './mock-models.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** A hub for the browser tests: the same paths and shapes as the real one, and it says what it is told to. */
export async function openMockHub(uiFolder: string, size: number, port = 0) {
  const now = () => Date.now()
  const fleet = mockFleet(size, now())
  const models = mockModels()
  const enrolment = mockEnrolment(now())
  const intervals = mockIntervals(now())
  const streams = new Set<ServerResponse>()
  const asked: string[] = []
  const supposed: WhatIfRequest[] = []
  let refusing = false
  const retired = new Map<string, RetiredServer>()
  let role: Role = 'admin'
  let withholding = false
  let eventId = 0

  function json(response: ServerResponse, body: unknown, status = 200) {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }

  const send = (response: ServerResponse, event: string, data: unknown) =>
    response.write(`id: ${++eventId}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`)

  const tell = (event: string, data: unknown) => {
    for (const response of streams) send(response, event, data)
  }

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://hub')
    asked.push(`${request.method} ${url.pathname}`)
    if (!url.pathname.startsWith('/api/')) return file(url.pathname, response)
    if (refusing)
      return json(response, { error: { code: 'down', message: 'the hub is down' } }, 503)
    const [, , , what, name, part] = url.pathname.split('/')
    if (what === 'health') return json(response, { status: 'ok', version: '0.1.0-test' })
    if (what === 'session') {
      const caller = { name: 'ada', role, kind: 'user', hasPassword: true }
      return json(response, { mode: 'login', caller, provider: null, notice: null })
    }
    if (what === 'accuracy') return json(response, mockAccuracy(now()))
    const isOfModels = what === 'models' || what === 'training'
    const ofModels = isOfModels && (await models.answer(request, url.pathname.slice(7)))
    if (ofModels) return json(response, ofModels[1], ofModels[0])
    const ofEnrolment = await enrolment.answer(request, url.pathname.slice(7))
    if (ofEnrolment) return json(response, ofEnrolment[1], ofEnrolment[0])
    const ofIntervals = await intervals.answer(request, url)
    if (ofIntervals) return json(response, ofIntervals[1], ofIntervals[0])
    if (what === 'fleet') return json(response, fleet.fleet(now()))
    if (what === 'scenario') {
      let body = ''
      for await (const chunk of request) body += chunk
      fleet.setScenario((JSON.parse(body) as { scenario: string }).scenario)
      response.writeHead(204).end()
      tell('servers', fleet.rows(now()))
      return tell('fleet', fleet.fleet(now()))
    }
    if (what === 'stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
      response.write('retry: 1000\n\n')
      send(response, 'snapshot', { fleet: fleet.fleet(now()), servers: fleet.rows(now()) })
      streams.add(response)
      response.on('close', () => streams.delete(response))
      return
    }
    if (what === 'retired') {
      return json(response, { afterDays: 30, servers: [...retired.values()] })
    }
    if (what === 'servers' && name === undefined)
      return json(response, { servers: fleet.rows(now()), nextCursor: null })
    const one = fleet.find(decodeURIComponent(name ?? ''))
    if (what !== 'servers' || !one)
      return json(
        response,
        { error: { code: 'not_found', message: `no server named ${name}` } },
        404,
      )
    if (part === undefined) {
      const detail = {
        ...fleet.detail(one, now()),
        retired: retired.get(one.name)?.retired ?? null,
      }
      return json(response, detail)
    }
    if (part === 'retire') {
      let body = ''
      for await (const chunk of request) body += chunk
      const { reason } = JSON.parse(body) as { reason: string }
      const { name, profile, lastSeen } = fleet.summary(one, now())
      retired.set(name, {
        ...{ name, profile, lastSeen, certificate: 'revoked' },
        retired: { at: new Date(now()).toISOString(), by: 'ada', reason },
      })
      tell('removed', [name])
      return json(response, retired.get(name))
    }
    if (part === 'bring-back') {
      retired.delete(one.name)
      tell('servers', [fleet.summary(one, now())])
      return json(response, { name: one.name })
    }
    if (part === 'explanation') {
      const made = (withholding ? withheldExplanation : explanationOf)(name!, now())
      return json(response, made)
    }
    if (part === 'what-if') {
      let body = ''
      for await (const chunk of request) body += chunk
      supposed.push(JSON.parse(body) as WhatIfRequest)
      if (supposed.at(-1)!.changes?.[0]?.metric === 'swap_used_pct') {
        const message =
          'body changes.0.metric: swap_used_pct was not measured in the last 60 minutes'
        return json(response, { error: { code: 'invalid_request', message } }, 400)
      }
      return json(response, whatIfOf(fleet.forecast(one, now()), 0.5, now()))
    }
    if (part === 'forecast') return json(response, fleet.forecast(one, now()))
    const read = (key: string) => url.searchParams.get(key)!
    return json(
      response,
      fleet.samples(one, {
        from: Date.parse(read('from')),
        to: Date.parse(read('to')),
        stepSeconds: Number(read('step')),
      }),
    )
  }

  function file(path: string, response: ServerResponse) {
    const asset = join(uiFolder, normalize(path))
    const found = extname(path) !== '' && existsSync(asset) ? asset : join(uiFolder, 'index.html')
    response.writeHead(200, {
      'content-type': types[extname(found)] ?? 'application/octet-stream',
      // As strict as the real one: no inline script, no style elements.
      'content-security-policy':
        "default-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; object-src 'none'",
    })
    response.end(readFileSync(found))
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))

  const hangUp = () => {
    for (const response of streams) response.destroy()
    streams.clear()
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    names: fleet.names,
    /** What whoever looks may do. */
    actAs: (as: Role) => void (role = as),
    /** What was asked of it so far, as "GET /path". */
    asked,
    /** The what-if questions so far. */
    supposed,
    /** Explanations fail their checks until `comeBack`. */
    withhold: () => void (withholding = true),
    row: (name: string): ServerSummary => fleet.summary(fleet.find(name)!, now()),
    rows: () => fleet.rows(now()),
    fleet: () => fleet.fleet(now()),
    tell,
    /** Hangs up and refuses everything until `comeBack`. */
    goDown() {
      refusing = true
      hangUp()
    },
    comeBack() {
      refusing = false
      withholding = false
    },
    async close() {
      hangUp()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
