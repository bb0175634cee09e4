import type { Role, Scope } from '@harbinger/shared/people-api'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** Who may call a route: anybody who reaches the hub, whoever may look, change things, or say who may. */
export type Access = 'public' | Scope

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** The route writes what it did into the audit log itself. */
    audits?: boolean
  }
}

export type KnownRoute = { readonly method: string; readonly url: string; readonly access: Access }

const allowed: { readonly [role in Role]: readonly Access[] } = {
  viewer: ['public', 'read'],
  operator: ['public', 'read', 'operate'],
  admin: ['public', 'read', 'operate', 'admin'],
}

/** The one decision on who may do what; without a role somebody is a stranger. */
export const mayCall = (role: Role | undefined, access: Access): boolean =>
  access === 'public' || (role !== undefined && allowed[role].includes(access))

/** The role that somebody needs, for the words of a refusal. */
export const roleFor = (access: Access): Role =>
  (['viewer', 'operator', 'admin'] as const).find((role) => mayCall(role, access))!

/**
 * Collects every route with its access, so that authorisation is decided in one place and can be checked whole. Ask
 * when the app is ready: hooks of inner plugins run after this one.
 */
export function collectRoutes(app: FastifyInstance): () => readonly KnownRoute[] {
  // With a slash at the end and without, a route is one object that is told twice: its address is of the moment.
  const routes: { readonly method: string | string[]; readonly url: string; of: RouteOptions }[] =
    []
  app.addHook('onRoute', (route: RouteOptions) => {
    routes.push({ method: route.method, url: route.url, of: route })
  })
  return () =>
    routes.flatMap(({ method, url, of: { config } }) => {
      const access = config?.access
      if (!access) throw new Error(`route ${String(method)} ${url} does not say who may call it`)
      return [method].flat().map((name) => ({ method: name, url, access }))
    })
}

/** For plugins that make routes of their own. */
export function routesFor(app: FastifyInstance, access: Access): void {
  app.addHook('onRoute', (route: RouteOptions) => {
    route.config = { ...route.config, access }
  })
}

export const publicRoutes = (app: FastifyInstance): void => routesFor(app, 'public')
