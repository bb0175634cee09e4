import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { HealthInBrief, HealthSchema } from '@harbinger/shared/api'
import { mayCall } from '../access.ts'
import type { ViewSources } from '../view-sources.ts'

/**
 * How the hub itself is. Always 200: a hub that can say it is degraded has answered. A stranger, a load balancer say,
 * is told that and which contract the hub speaks, and no more: an agent that is not understood must be able to find out.
 */
export const healthRoutes: FastifyPluginAsyncTypebox<
  Pick<ViewSources, 'health' | 'people'>
> = async (app, { health, people }) => {
  app.get(
    '/health',
    {
      config: { access: 'public' },
      schema: {
        summary: 'How the hub is; status and contract alone to who may not look',
        tags: ['hub'],
        response: { 200: Type.Union([HealthSchema, HealthInBrief]) },
      },
    },
    async ({ caller }) => {
      const found = health()
      if (!mayCall(caller?.role, 'read')) {
        const { status, contractVersion } = found
        return { status, contractVersion }
      }
      return { ...found, login: { mode: people.mode(), notice: people.notice() } }
    },
  )
}
