import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ProblemSchema, ServersPage, ServersQuery } from '@harbinger/shared/api'
import { badRequest } from '../problems.ts'
import { serversPage } from '../server-page.ts'
import type { ViewSources } from '../view-sources.ts'

/** The servers, a page at a time. */
export const serversRoutes: FastifyPluginAsyncTypebox<Pick<ViewSources, 'servers'>> = async (
  app,
  { servers },
) => {
  app.get(
    '/servers',
    {
      config: { access: 'read' },
      schema: {
        summary: 'A page of servers, filtered and sorted',
        tags: ['servers'],
        querystring: ServersQuery,
        response: { 200: ServersPage, 400: ProblemSchema },
      },
    },
    async ({ query }) => {
      const page = serversPage(servers(), query)
      if ('problem' in page) throw badRequest(page.problem)
      return page
    },
  )
}
