import { connect } from 'node:net'
import { FleetSnapshot } from '@harbinger/shared/api'
import { Check } from 'typebox/value'
import { afterEach, expect, test, vi } from 'vitest'
import { openView, type View } from '../../hub/src/view/view.ts'
import type { StreamLimits } from '../../hub/src/view/routes/stream.ts'
import { fakeLog, fakeSources, manyRows, serverRow } from './fake-sources.ts'

type Event = { readonly id: string; readonly event: string; readonly data: never }

const open: View[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((view) => view.close()))
})

async function start(rows = [serverRow('db01'), serverRow('db02')], stream: StreamLimits = {}) {
  const fake = fakeSources(rows)
  const view = await openView({
    sources: fake.sources,
    host: '127.0.0.1',
    port: 0,
    uiDirectory: '/nowhere',
    log: fakeLog().log,
    stream,
  })
  open.push(view)
  return { ...fake, view, url: `${view.address}/api/v1/stream` }
}

/** Reads events one by one, as a browser does. */
async function follow(url: string, lastEventId?: string) {
  const abort = new AbortController()
  const answer = await fetch(url, {
    signal: abort.signal,
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  })
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  async function block(): Promise<string> {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const next = text.slice(0, end)
        text = text.slice(end + 2)
        return next
      }
      const { value, done } = await reader.read()
      if (done) throw new Error('the stream ended')
      text += value
    }
  }
  return {
    answer,
    block,
    async next(): Promise<Event> {
      for (;;) {
        const fields = Object.fromEntries(
          (await block()).split('\n').map((line) => {
            const cut = line.indexOf(': ')
            return [line.slice(0, cut), line.slice(cut + 2)]
          }),
        )
        if (fields['event']) return { ...fields, data: JSON.parse(fields['data']!) } as Event
      }
    },
    stop: () => abort.abort(),
  }
}

test('begins with everything, then tells what changed', async () => {
  const { url, change } = await start()
  const client = await follow(url)
  expect(client.answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
  expect(client.answer.headers.get('cache-control')).toBe('no-store')

  const snapshot = await client.next()
  expect(snapshot.event).toBe('snapshot')
  expect(Check(FleetSnapshot, snapshot.data)).toBe(true)
  expect((snapshot.data as { servers: unknown[] }).servers).toHaveLength(2)

  change([serverRow('db02', { risk: 70 })], ['db01'])
  const events = [await client.next(), await client.next(), await client.next()]
  expect(events.map(({ event }) => event)).toEqual(['servers', 'removed', 'fleet'])
  expect(events[0]!.data).toMatchObject([{ name: 'db02', risk: 70 }])
  expect(events[1]!.data).toEqual(['db01'])
  expect(new Set([snapshot, ...events].map(({ id }) => id)).size).toBe(4)
  client.stop()
})

test('a row that did not change is not sent again', async () => {
  const { url, change } = await start()
  const client = await follow(url)
  await client.next()
  change([serverRow('db01'), serverRow('db02')])
  await client.next()
  await client.next()
  change([serverRow('db01', { risk: 31 }), serverRow('db02')])
  expect((await client.next()).data).toMatchObject([{ name: 'db01' }])
  expect((await client.next()).event).toBe('fleet')
  change([serverRow('db02')])
  expect((await client.next()).event).toBe('fleet')
  client.stop()
})

test('a client that comes back gets just what it missed', async () => {
  const { url, change } = await start()
  const client = await follow(url)
  const { id } = await client.next()
  client.stop()

  change([serverRow('db01', { risk: 40 })])
  change([serverRow('db01', { risk: 41 })])
  const again = await follow(url, id)
  const events = [await again.next(), await again.next(), await again.next(), await again.next()]
  expect(events.map(({ event }) => event)).toEqual(['servers', 'fleet', 'servers', 'fleet'])
  expect(events[2]!.data).toMatchObject([{ risk: 41 }])
  again.stop()

  const upToDate = await follow(url, events[3]!.id)
  change([serverRow('db01', { risk: 42 })])
  expect((await upToDate.next()).data).toMatchObject([{ risk: 42 }])
  upToDate.stop()
})

test.each(['other-3', 'nonsense', '', '-1', 'x-NaN'])(
  'a client with the id %j, which is not of this run, begins again',
  async (id) => {
    const { url } = await start()
    const client = await follow(url, id)
    expect((await client.next()).event).toBe('snapshot')
    client.stop()
  },
)

test('a client that was away for too long begins again', async () => {
  const { url, change } = await start(undefined, { maxJournalBytes: 2000 })
  const client = await follow(url)
  const { id } = await client.next()
  client.stop()
  for (let risk = 0; risk < 20; risk++) change([serverRow('db01', { risk })])
  const again = await follow(url, id)
  expect((await again.next()).event).toBe('snapshot')
  again.stop()
})

test('a quiet stream says that it lives', async () => {
  const { url } = await start(undefined, { heartbeatMs: 20 })
  const client = await follow(url)
  await client.next()
  expect(await client.block()).toBe(': still here')
  client.stop()
})

test('a client that does not read is dropped; the others go on', async () => {
  const rows = manyRows(300)
  const { url, view, change } = await start(rows, { maxUnreadBytes: 200_000 })
  const { hostname, port } = new URL(view.address)
  const lazy = connect(Number(port), hostname)
  const closed = vi.fn()
  lazy.on('close', closed).on('error', closed)
  lazy.write('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
  lazy.pause()
  const client = await follow(url)
  await client.next()

  const metrics = async () => (await fetch(`${view.address}/metrics`)).text()
  for (let i = 0; i < 100; i++) {
    change(rows.map((row) => ({ ...row, riskNow: i })))
    await client.next()
    await client.next()
    if ((await metrics()).includes('harbinger_stream_dropped_total 1\n')) break
  }
  expect(await metrics()).toContain('harbinger_stream_dropped_total 1\n')
  expect(await metrics()).toContain('harbinger_stream_clients 1\n')
  client.stop()
  lazy.destroy()
})

test('more clients than allowed are turned away with a reason', async () => {
  const { url } = await start(undefined, { maxClients: 1 })
  const client = await follow(url)
  await client.next()
  const refused = await fetch(url)
  expect(refused.status).toBe(503)
  expect(await refused.json()).toMatchObject({ error: { code: 'too_many_clients' } })
  client.stop()
})

test('closing ends the streams and stops listening to the hub', async () => {
  const { url, view, listeners } = await start()
  const client = await follow(url)
  await client.next()
  await view.close()
  await expect(client.next()).rejects.toThrow()
  expect(listeners.size).toBe(0)
})

test('a taken port is explained', async () => {
  const { view } = await start()
  const taken = Number(new URL(view.address).port)
  await expect(
    openView({
      sources: fakeSources([]).sources,
      host: '127.0.0.1',
      port: taken,
      uiDirectory: '/nowhere',
      log: fakeLog().log,
    }),
  ).rejects.toThrow(/in use by another program/)
})
