import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import type { People } from '../../people/people.ts'
import { notFound } from '../problems.ts'
import { dropCookie, keepCookie, readCookie } from '../session-cookie.ts'

/** How long somebody may be at the provider. */
const ticketSeconds = 600
const redirected = { 302: { description: 'to the next page' } }
const page = { 200: Type.String({ description: 'never; the answer is a redirect' }), ...redirected }

/** The way to the sign-in provider and back. */
export const signInRoutes: FastifyPluginAsyncTypebox<{ people: People }> = async (
  app,
  { people },
) => {
  const problem = (code: string) => `/login?problem=${code}`

  app.get(
    '/oidc/start',
    {
      config: { access: 'public' },
      exposeHeadRoute: false,
      schema: {
        summary: 'Sends the browser to the sign-in provider',
        tags: ['people'],
        querystring: Type.Object({ next: Type.Optional(Type.String({ maxLength: 2000 })) }),
        response: { ...page, 404: ProblemSchema },
      },
    },
    async (request, reply) => {
      if (!people.provider) throw notFound('no sign-in provider is configured: see oidc.issuer')
      const departure = await people.provider.depart(ownPath(request.query.next))
      if (typeof departure === 'string') return reply.redirect(problem(departure))
      keepCookie(request, reply, {
        // The way back begins at the provider's site: Strict would not be sent.
        ...{ what: 'sign-in', value: departure.ticket, sameSite: 'Lax', seconds: ticketSeconds },
      })
      return reply.redirect(departure.url)
    },
  )

  app.get(
    '/oidc/callback',
    {
      config: { access: 'public' },
      exposeHeadRoute: false,
      schema: {
        summary: 'Where the sign-in provider sends the browser back to',
        tags: ['people'],
        response: { ...page, 404: ProblemSchema },
      },
    },
    async (request, reply) => {
      if (!people.provider) throw notFound('no sign-in provider is configured: see oidc.issuer')
      const ticket = readCookie(request, 'sign-in')
      const { search } = new URL(request.url, 'http://hub')
      const arrival = await people.provider.arrive({ ticket, search }, request.ip)
      dropCookie(request, reply, 'sign-in')
      if (typeof arrival === 'string') return reply.redirect(problem(arrival))
      keepCookie(request, reply, { what: 'session', value: arrival.session })
      return reply.redirect(arrival.next)
    },
  )
}

/** A path of this hub; anything that a browser could take for another site is the first page. */
function ownPath(next: string | undefined): string {
  if (next === undefined || !/^\/(?![/\\])/.test(next) || /[\\\p{Cc}]/u.test(next)) return '/'
  const { origin, pathname, search } = new URL(next, 'http://hub')
  return origin === 'http://hub' && !pathname.startsWith('/login') ? pathname + search : '/'
}
