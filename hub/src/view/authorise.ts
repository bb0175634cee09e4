import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { By, Caller } from '../people/caller.ts'
import type { People } from '../people/people.ts'
import type { Log } from '../log.ts'
import { mayCall, roleFor } from './access.ts'
import { RequestProblem } from './problems.ts'
import { readCookie } from './session-cookie.ts'
import { pathOf } from './user-interface-page.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null: a stranger. */
    caller: Caller | null
    /** What a change was made to, for the audit log; without it the parameters of the route. */
    changed: string | null
  }
}

/** Headers that only a proxy adds: who sent the request is not on this machine. */
const proxyHeaders = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'] as const
const minuteMs = 60_000
const mostTold = 1000
const safeMethods = ['GET', 'HEAD', 'OPTIONS']

export const byOf = (request: FastifyRequest): By => ({
  who: request.caller?.name ?? '',
  address: request.ip,
})

/**
 * Finds out who asks, lets them do what their role may, and writes every change and every refusal of somebody known
 * into the audit log. A stranger's request without credentials is not written down: anybody could fill the log.
 */
export function authoriseRequests(
  app: FastifyInstance,
  { people, log }: { readonly people: People; readonly log: Log },
): void {
  const toldAt = new Map<string, number>()
  /** A stranger with wrong tokens is written down once a minute. */
  function isNews(address: string): boolean {
    const at = people.now()
    if (at - (toldAt.get(address) ?? -Infinity) < minuteMs) return false
    if (toldAt.size >= mostTold) toldAt.clear()
    toldAt.set(address, at)
    return true
  }

  app.decorateRequest('caller', null)
  app.decorateRequest('changed', null)

  app.addHook('onRequest', async (request, reply) => {
    const found = people.callerOf({
      authorization: request.headers.authorization,
      session: readCookie(request, 'session'),
      proxied: proxyHeaders.some((name) => request.headers[name] !== undefined),
    })
    request.caller = found === 'unknown' ? null : (found ?? null)
    const { access } = request.routeOptions.config
    // What does not exist says so to anybody, and pages come from there; a route that says nothing lets nobody in.
    if (access === undefined && request.is404) return
    if (access !== undefined && mayCall(request.caller?.role, access)) return
    if (request.caller) throw forbidden(request.caller, access ?? 'admin')
    if (wantsPage(request)) {
      return reply.redirect(`/login?next=${encodeURIComponent(request.url)}`)
    }
    reply.header('www-authenticate', 'Bearer realm="harbinger"')
    throw unauthorised(people, found === 'unknown')
  })

  app.addHook('onResponse', async (request, reply) => {
    const { config, url } = request.routeOptions
    const { access } = config
    const isChange = !safeMethods.includes(request.method) && access !== 'read'
    const isRefused = reply.statusCode === 401 || reply.statusCode === 403
    const isKnown = request.caller !== null && request.caller.kind !== 'open'
    const isLogged = isRefused
      ? isKnown || (request.headers.authorization !== undefined && isNews(request.ip))
      : isChange && access !== 'public' && !(config.audits === true && reply.statusCode < 400)
    if (access === undefined || !isLogged) return
    try {
      people.audit.add({
        ...{ at: people.now(), ...byOf(request), outcome: outcomeOf(reply.statusCode) },
        action: `${request.method} ${url ?? pathOf(request.url)}`,
        target: request.changed ?? paramsOf(request),
        detail: isRefused ? `${reply.statusCode}` : '',
      })
    } catch (error) {
      log.error({ err: error, url: request.url }, 'the audit log cannot be written')
    }
  })
}

const outcomeOf = (status: number) =>
  status < 400 ? 'done' : status === 401 || status === 403 ? 'refused' : 'failed'

const paramsOf = ({ params }: FastifyRequest): string =>
  Object.values((params ?? {}) as Record<string, string>).join(' ')

/** A person who opened an address by hand, not a program and not the user interface. */
const wantsPage = ({ method, headers }: FastifyRequest): boolean =>
  method === 'GET' &&
  headers.authorization === undefined &&
  (headers['sec-fetch-mode'] === 'navigate' || (headers.accept ?? '').includes('text/html'))

function forbidden(caller: Caller, access: Parameters<typeof roleFor>[0]): RequestProblem {
  return new RequestProblem(
    403,
    'forbidden',
    `this needs the role ${roleFor(access)}; ${caller.name} has the role ${caller.role}. An admin of this hub can change that`,
  )
}

function unauthorised(people: Pick<People, 'mode'>, isUnknown: boolean): RequestProblem {
  if (people.mode() === 'setup') {
    return new RequestProblem(
      401,
      'set_up_first',
      'this hub has no users yet: open its page /set-up, or run "harbinger user add NAME --role admin" on its machine',
    )
  }
  return new RequestProblem(
    401,
    'log_in_first',
    isUnknown
      ? 'what was shown is not, or no longer, known here: log in again, or use another API token'
      : 'log in first, or send an API token in the header "Authorization: Bearer …"; "harbinger api-token create" makes one',
  )
}
