import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import { AuditQuery, AuditSchema } from '@harbinger/shared/people-api'
import type { People } from '../../people/people.ts'

/** Who did what, when and from where. */
export const auditRoutes: FastifyPluginAsyncTypebox<{ people: People }> = async (
  app,
  { people },
) => {
  app.get(
    '/audit',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Logins, refusals and every change, newest first',
        tags: ['people'],
        querystring: AuditQuery,
        response: { 200: AuditSchema, 400: ProblemSchema, 401: ProblemSchema, 403: ProblemSchema },
      },
    },
    async ({ query: { who, outcome, limit = 100, cursor } }) => {
      const before = cursor === undefined ? undefined : Number(cursor)
      const found = people.audit.page({ who, outcome, before, limit: limit + 1 })
      const entries = found.slice(0, limit)
      return {
        entries: entries.map((row) => ({ ...row, at: new Date(row.at).toISOString() })),
        nextCursor: found.length > limit ? String(entries.at(-1)!.id) : null,
      }
    },
  )
}
