import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import { ExplanationQuery, ExplanationSchema } from '@harbinger/shared/explanation'
import { serverNamePattern } from '@harbinger/shared/server'
import { noSuchServer } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

/** Why a server is forecast as it is. */
export const explanationRoutes: FastifyPluginAsyncTypebox<
  Pick<ViewSources, 'explanation'>
> = async (app, { explanation }) => {
  app.get(
    '/servers/:name/explanation',
    {
      config: { access: 'read' },
      schema: {
        summary:
          'What the forecast rests on, checked by removing it, and similar past moments with what followed; parts that fail their check are withheld with the reason',
        tags: ['servers'],
        params: Type.Object({ name: Type.String({ pattern: serverNamePattern }) }),
        querystring: ExplanationQuery,
        response: { 200: ExplanationSchema, 400: ProblemSchema, 404: ProblemSchema },
      },
    },
    async ({ params: { name }, query: { metric } }) => {
      const answer = await explanation(name, metric)
      if (!answer) throw noSuchServer(name)
      return answer
    },
  )
}
