import { hostname } from 'node:os'
import { isIP } from 'node:net'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { loopbackNames } from '../loopback.ts'
import { RequestProblem } from './problems.ts'

/** Only our own files, no inline script; `style` attributes are allowed, style elements are not. */
export const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const securityHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
} as const

const wildcards = ['0.0.0.0', '::', '']
const safeMethods = ['GET', 'HEAD', 'OPTIONS']

/**
 * Whether a request that calls this hub by the name in `header` is meant for it. A page of another site can make a
 * browser send requests here under that site's name (DNS rebinding), so unknown names are refused. A hub that
 * listens on every address is also reached by address and by its machine's name; an address cannot be rebound.
 */
export function hostCheck(
  host: string,
  allowedHosts: readonly string[] = [],
): (header: string | undefined) => boolean {
  const names = new Set([...loopbackNames, host, ...allowedHosts].map((name) => name.toLowerCase()))
  const isOpen = wildcards.includes(host)
  if (isOpen) names.add(hostname().toLowerCase())
  return (header) => {
    const name = hostName(header)
    return name !== undefined && (names.has(name) || (isOpen && isIP(name) !== 0))
  }
}

function hostName(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:@/\s]+))(?::\d{1,5})?$/i.exec(header ?? '')
  return (match?.[1] ?? match?.[2])?.toLowerCase()
}

/** Security headers on every answer, and refusal of what another site's page could have sent. */
export function guardRequests(
  app: FastifyInstance,
  {
    host,
    allowedHosts,
    hstsSeconds,
  }: {
    readonly host: string
    readonly allowedHosts?: readonly string[] | undefined
    readonly hstsSeconds: number
  },
): void {
  const isOurs = hostCheck(host, allowedHosts)

  app.addHook('onRequest', async (request, reply) => {
    secure(reply)
    // Browsers that came by https come by nothing else from then on (RFC 6797); to this name alone, without subdomains.
    if (request.protocol === 'https' && hstsSeconds > 0) {
      reply.header('strict-transport-security', `max-age=${Math.round(hstsSeconds)}`)
    }
    const { host: called, origin, 'sec-fetch-site': site } = request.headers
    if (!isOurs(called)) {
      throw new RequestProblem(
        403,
        'forbidden_host',
        `this hub does not answer to the name ${JSON.stringify(called ?? '')}; use ${host} or localhost, or add the name to the hub's allowed hosts`,
      )
    }
    if (origin !== undefined && !isSameOrigin(origin, called)) {
      throw new RequestProblem(
        403,
        'forbidden_origin',
        `pages of ${JSON.stringify(origin.slice(0, 200))} may not use this hub; open it at its own address`,
      )
    }
    if (!safeMethods.includes(request.method) && isForeign(site)) {
      throw new RequestProblem(
        403,
        'forbidden_origin',
        "another site's page may not change anything in this hub; open it at its own address",
      )
    }
    if (!safeMethods.includes(request.method) && !isJson(request.headers['content-type'])) {
      throw new RequestProblem(
        415,
        'unsupported_media_type',
        `${request.method} needs a JSON body with the header "Content-Type: application/json"`,
      )
    }
  })
}

export function secure(reply: FastifyReply): void {
  reply.headers(securityHeaders)
  // Answers are of this moment; files of the user interface say otherwise for themselves.
  reply.header('cache-control', 'no-store')
}

/** Browsers say where a request began; a port beside ours is another origin and still the same site. */
const isForeign = (site: string | string[] | undefined): boolean =>
  site !== undefined && site !== 'same-origin' && site !== 'none'

const isJson = (type: string | undefined): boolean => /^application\/json\s*(;|$)/i.test(type ?? '')

function isSameOrigin(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === (host ?? '').toLowerCase()
}
