import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import {
  ProblemSchema,
  RetiredServerSchema,
  RetiredServersSchema,
  RetireRequest,
} from '@harbinger/shared/api'
import { serverNamePattern } from '@harbinger/shared/server'
import { byOf } from '../authorise.ts'
import { noSuchServer, notFound, RequestProblem } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

type Options = Pick<ViewSources, 'retire' | 'bringBack' | 'retired'>

const params = Type.Object({ name: Type.String({ pattern: serverNamePattern }) })
const problems = {
  ...{ 400: ProblemSchema, 404: ProblemSchema, 409: ProblemSchema, 415: ProblemSchema },
}

/** Servers that left the fleet, and how they leave and come back. */
export const retiredRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { retire, bringBack, retired },
) => {
  app.get(
    '/retired',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Servers that left the fleet: when, by whom and why',
        tags: ['servers'],
        response: { 200: RetiredServersSchema },
      },
    },
    async () => retired(),
  )

  app.post(
    '/servers/:name/retire',
    {
      config: { access: 'operate' },
      schema: {
        summary:
          'Takes a server that is offline out of the fleet; its history stays, and it is back when it is heard',
        tags: ['servers'],
        params,
        body: RetireRequest,
        response: { 200: RetiredServerSchema, ...problems },
      },
    },
    async (request) => {
      const { name } = request.params
      const answer = retire(name, { by: byOf(request).who, reason: request.body.reason })
      if (answer === undefined) throw noSuchServer(name)
      if ('refused' in answer) throw new RequestProblem(409, 'conflict', answer.refused)
      return answer
    },
  )

  app.post(
    '/servers/:name/bring-back',
    {
      config: { access: 'operate' },
      schema: {
        summary: 'Takes a retired server back into the fleet',
        tags: ['servers'],
        params,
        body: Type.Object({}, { additionalProperties: false }),
        response: { 200: Type.Object({ name: Type.String() }), ...problems },
      },
    },
    async ({ params: { name } }) => {
      const answer = bringBack(name)
      if (answer) return answer
      throw notFound(`no retired server is named "${name}"; GET /api/v1/retired lists them`)
    },
  )
}
