import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * What a browser keeps. Under https the name begins with `__Host-`, which browsers take only from this very host, with
 * Secure, for all paths: neither a neighbour's domain nor plain http can put one in its place.
 */
const nameOf = (what: string, isSecure: boolean): string =>
  `${isSecure ? '__Host-' : ''}harbinger-${what}`

/** `Strict` is never sent on a way that another site began; `Lax` when the person follows a link, as back from a provider. */
type SameSite = 'Strict' | 'Lax'

type Kept = {
  readonly what: string
  readonly value: string
  readonly sameSite?: SameSite
  readonly seconds?: number
}

export const isSecure = (request: FastifyRequest): boolean => request.protocol === 'https'

export function keepCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  { what, value, sameSite = 'Strict', seconds }: Kept,
): void {
  const secure = isSecure(request)
  const parts = [
    `${nameOf(what, secure)}=${value}`,
    'Path=/',
    'HttpOnly',
    `SameSite=${sameSite}`,
    ...(secure ? ['Secure'] : []),
    ...(seconds === undefined ? [] : [`Max-Age=${seconds}`]),
  ]
  reply.header('set-cookie', parts.join('; '))
}

export const dropCookie = (request: FastifyRequest, reply: FastifyReply, what: string): void =>
  keepCookie(request, reply, { what, value: '', seconds: 0 })

/** The first of its name; one that could not be ours is none. */
export function readCookie(request: FastifyRequest, what: string): string | undefined {
  const wanted = `${nameOf(what, isSecure(request))}=`
  const found = (request.headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(wanted))
    ?.slice(wanted.length)
  return found !== undefined && /^[\w-]{1,128}$/.test(found) ? found : undefined
}
