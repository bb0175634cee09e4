import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { HealthSchema } from '@harbinger/shared/api'
import type { ViewSources } from '../view-sources.ts'

/** How the hub itself is. Always 200: a hub that can say it is degraded has answered. */
export const healthRoutes: FastifyPluginAsyncTypebox<Pick<ViewSources, 'health'>> = async (
  app,
  { health },
) => {
  app.get(
    '/health',
    {
      config: { access: 'public' },
      schema: {
        summary: 'How the hub is',
        tags: ['hub'],
        response: { 200: HealthSchema },
      },
    },
    async () => health(),
  )
}
