import fastifySwaggerUi from '@fastify/swagger-ui'
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { routesFor } from '../access.ts'

/** The page that shows the API needs inline styles; its scripts are files, like ours. */
const documentationPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** The API described: for programs at /api/openapi.json, for people at /api/docs. Nothing comes from elsewhere. */
export const documentationRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/openapi.json',
    {
      config: { access: 'read' },
      schema: {
        summary: 'This document',
        tags: ['hub'],
        response: { 200: Type.Record(Type.String(), Type.Unknown()) },
      },
    },
    async () => app.swagger() as unknown as { [key: string]: unknown },
  )

  await app.register(async (docs) => {
    routesFor(docs, 'read')
    docs.addHook('onSend', async (_request, reply) => {
      reply.header('content-security-policy', documentationPolicy)
    })
    await docs.register(fastifySwaggerUi, {
      routePrefix: '/api/docs',
      uiConfig: { docExpansion: 'list', validatorUrl: null },
    })
  })
}
