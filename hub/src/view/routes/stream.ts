import type { ServerResponse } from 'node:http'
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import type { Caller } from '../../people/caller.ts'
import { changeJournal } from '../change-journal.ts'
import { RequestProblem } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

export type StreamLimits = {
  /** Default 15,000: proxies close what is silent for longer than a minute. */
  readonly heartbeatMs?: number
  /** A client with more than this unread is dropped; it comes back and resumes. Default 16 MiB. */
  readonly maxUnreadBytes?: number
  /** Default 500. */
  readonly maxClients?: number
  /** How soon somebody who is logged out hears no more. Default 2,000. */
  readonly checkMs?: number
  /** See JournalOptions. */
  readonly maxJournalBytes?: number
}

export type StreamCounters = { clients: number; dropped: number }

type Options = Pick<ViewSources, 'fleet' | 'servers' | 'onChange' | 'now' | 'people'> & {
  readonly limits: StreamLimits
  readonly counters: StreamCounters
}

/** The fleet, live: a snapshot, then what changes. */
export const streamRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { fleet, servers, onChange, now, people, limits, counters },
) => {
  const { heartbeatMs = 15_000, maxUnreadBytes = 16 * 1024 * 1024, maxClients = 500 } = limits
  const { checkMs = 2000 } = limits
  const clients = new Map<ServerResponse, Caller>()
  const journal = changeJournal({
    epoch: now().toString(36),
    ...(limits.maxJournalBytes === undefined ? {} : { maxBytes: limits.maxJournalBytes }),
  })

  const forget = (client: ServerResponse) => {
    clients.delete(client)
    counters.clients = clients.size
  }

  const send = (client: ServerResponse, text: string) => {
    if (client.writableLength > maxUnreadBytes) {
      counters.dropped++
      forget(client)
      client.destroy()
      return
    }
    client.write(text)
  }

  const broadcast = (text: string) => {
    for (const client of clients.keys()) send(client, text)
  }

  const stop = onChange((change) => broadcast(journal.record(change)))
  const heartbeat = setInterval(() => broadcast(': still here\n\n'), heartbeatMs)
  heartbeat.unref()
  // Who is logged out, or may no longer look, hears no more: the browser asks again and is told why.
  const watch = setInterval(() => {
    for (const [client, caller] of clients) if (!people.stillHolds(caller)) client.end()
  }, checkMs)
  watch.unref()

  app.addHook('preClose', async () => {
    stop()
    clearInterval(heartbeat)
    for (const client of clients.keys()) client.end()
    clearInterval(watch)
  })

  app.get(
    '/stream',
    {
      config: { access: 'read' },
      exposeHeadRoute: false,
      schema: {
        summary: 'Server-sent events: snapshot, then servers, removed and fleet',
        description:
          '`snapshot` holds {fleet, servers}; `servers` an array of changed rows, `removed` an array of names, `fleet` the fleet in numbers. Reconnecting with the header `Last-Event-ID` resumes, or begins again with a snapshot.',
        tags: ['fleet'],
        querystring: Type.Object({
          lastEventId: Type.Optional(
            Type.String({ maxLength: 64, description: 'as the header, where it cannot be set' }),
          ),
        }),
        produces: ['text/event-stream'],
        response: {
          200: { content: { 'text/event-stream': { schema: Type.String() } } },
          503: ProblemSchema,
        },
      },
    },
    (request, reply) => {
      if (clients.size >= maxClients) {
        throw new RequestProblem(
          503,
          'too_many_clients',
          `${clients.size} clients follow the stream already, and no more are let in; close some pages`,
        )
      }
      const header = request.headers['last-event-id']
      const lastSeen = request.query.lastEventId ?? (typeof header === 'string' ? header : '')
      const missed = journal.since(lastSeen)
      const first = missed ?? journal.snapshot(() => ({ fleet: fleet(), servers: [...servers()] }))

      reply.hijack()
      const client = reply.raw
      client.on('close', () => forget(client))
      client.on('error', () => forget(client))
      client.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
      })
      client.write(`retry: 2000\n\n${first}`)
      clients.set(client, request.caller!)
      counters.clients = clients.size
    },
  )
}
