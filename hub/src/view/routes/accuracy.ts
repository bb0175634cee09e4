import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AccuracySchema } from '@harbinger/shared/accuracy'
import type { ViewSources } from '../view-sources.ts'

/** How good the forecasts have been. */
export const accuracyRoutes: FastifyPluginAsyncTypebox<Pick<ViewSources, 'accuracy'>> = async (
  app,
  { accuracy },
) => {
  app.get(
    '/accuracy',
    {
      config: { access: 'read' },
      schema: {
        summary: 'What forecasts promised against what came, from the forecast log, and drift',
        tags: ['fleet'],
        response: { 200: AccuracySchema },
      },
    },
    async () => accuracy(),
  )
}
