import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import { WhatIfRequestSchema, WhatIfSchema } from '@harbinger/shared/explanation'
import { serverNamePattern } from '@harbinger/shared/server'
import { badRequest, noSuchServer, RequestProblem } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

/** What would be forecast had the last minutes been otherwise. Nothing is kept, so whoever may look may ask. */
export const whatIfRoutes: FastifyPluginAsyncTypebox<Pick<ViewSources, 'whatIf'>> = async (
  app,
  { whatIf },
) => {
  app.post(
    '/servers/:name/what-if',
    {
      config: { access: 'read' },
      schema: {
        summary:
          'The forecasters run again on changed input: both forecasts, their difference, and that of the risk',
        tags: ['servers'],
        params: Type.Object({ name: Type.String({ pattern: serverNamePattern }) }),
        body: WhatIfRequestSchema,
        response: {
          200: WhatIfSchema,
          400: ProblemSchema,
          404: ProblemSchema,
          409: ProblemSchema,
        },
      },
    },
    async ({ params: { name }, body }) => {
      const answer = await whatIf(name, body)
      if (!answer) throw noSuchServer(name)
      if (!('refused' in answer)) return answer
      throw answer.kind === 'invalid'
        ? badRequest(answer.refused)
        : new RequestProblem(409, 'no_forecast', answer.refused)
    },
  )
}
