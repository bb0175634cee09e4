import { existsSync } from 'node:fs'
import { sep } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { publicRoutes } from '../access.ts'

const year = 365 * 24 * 3600

/** Files under assets/ carry the hash of their content in their name; everything else may change. */
const cacheControl = (path: string): string =>
  path.includes(`${sep}assets${sep}`) ? `public, max-age=${year}, immutable` : 'no-cache'

/** The built user interface, compressed where the build made a compressed twin. */
export const userInterfaceRoutes: FastifyPluginAsync<{ uiDirectory: string }> = async (
  app,
  { uiDirectory },
) => {
  publicRoutes(app)
  if (existsSync(uiDirectory)) {
    await app.register(fastifyStatic, {
      root: uiDirectory,
      preCompressed: true,
      cacheControl: false,
      setHeaders: (reply, path) => void reply.header('cache-control', cacheControl(path)),
    })
  } else {
    app.get('/', { schema: { hide: true } }, async (_request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .send(
          '<!doctype html><title>Harbinger</title><p>The user interface is not built: run "npm start" once, or "npm run build" in ui/. The API is described at <a href="/api/docs">/api/docs</a>.',
        ),
    )
  }
}
