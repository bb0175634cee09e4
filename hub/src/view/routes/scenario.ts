import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema, ScenarioRequest } from '@harbinger/shared/api'
import { notFound } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

/** What the simulated fleet plays. */
export const scenarioRoutes: FastifyPluginAsyncTypebox<Pick<ViewSources, 'setScenario'>> = async (
  app,
  { setScenario },
) => {
  app.post(
    '/scenario',
    {
      config: { access: 'operate' },
      schema: {
        summary: 'Changes what the simulated fleet plays; only while a demo fleet runs',
        tags: ['fleet'],
        body: ScenarioRequest,
        response: {
          200: Type.Object({ scenario: ScenarioRequest.properties.scenario }),
          400: ProblemSchema,
          404: ProblemSchema,
          415: ProblemSchema,
        },
      },
    },
    async (request) => {
      const { scenario } = request.body
      if (!setScenario) {
        throw notFound(
          'no demo fleet runs in this hub, so there is no scenario to change; start it with "npm start" (without --no-demo)',
        )
      }
      request.changed = scenario
      await setScenario(scenario)
      return { scenario }
    },
  )
}
