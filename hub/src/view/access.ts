import type { FastifyInstance, RouteOptions } from 'fastify'

/** Who may call a route: anybody who reaches the hub, whoever may look, whoever may change things. */
export type Access = 'public' | 'read' | 'operate'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
}

export type KnownRoute = { readonly method: string; readonly url: string; readonly access: Access }

/**
 * Collects every route with its access, so that authorisation is decided in one place and can be checked whole. Ask
 * when the app is ready: hooks of inner plugins run after this one.
 */
export function collectRoutes(app: FastifyInstance): () => readonly KnownRoute[] {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route: RouteOptions) => {
    routes.push(route)
  })
  return () =>
    routes.flatMap(({ method, url, config }) => {
      const access = config?.access
      if (!access) throw new Error(`route ${String(method)} ${url} does not say who may call it`)
      return [method].flat().map((name) => ({ method: name, url, access }))
    })
}

/** For plugins that make routes of their own. */
export function publicRoutes(app: FastifyInstance): void {
  app.addHook('onRoute', (route: RouteOptions) => {
    route.config = { ...route.config, access: 'public' }
  })
}
