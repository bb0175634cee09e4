import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { FleetSchema } from '@harbinger/shared/api'
import type { ViewSources } from '../view-sources.ts'

/** Is anything going to break, and what first? */
export const fleetRoutes: FastifyPluginAsyncTypebox<Pick<ViewSources, 'fleet'>> = async (
  app,
  { fleet },
) => {
  app.get(
    '/fleet',
    {
      config: { access: 'read' },
      schema: {
        summary: 'The fleet in numbers, with its chance of an incident and its top risks',
        tags: ['fleet'],
        response: { 200: FleetSchema },
      },
    },
    async () => fleet(),
  )
}
