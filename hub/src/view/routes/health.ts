import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { HealthInBrief, HealthSchema } from '@harbinger/shared/api'
import { mayCall } from '../access.ts'
import type { ViewSources } from '../view-sources.ts'

/**
 * How the hub itself is. Always 200: a hub that can say it is degraded has answered. A stranger, a load balancer say,
 * is told no more than that.
 */
export const healthRoutes: FastifyPluginAsyncTypebox<
  Pick<ViewSources, 'health' | 'people'>
> = async (app, { health, people }) => {
  app.get(
    '/health',
    {
      config: { access: 'public' },
      schema: {
        summary: 'How the hub is; the status alone to who may not look',
        tags: ['hub'],
        response: { 200: Type.Union([HealthSchema, HealthInBrief]) },
      },
    },
    async ({ caller }) => {
      const found = health()
      if (!mayCall(caller?.role, 'read')) return { status: found.status }
      return { ...found, login: { mode: people.mode(), notice: people.notice() } }
    },
  )
}
