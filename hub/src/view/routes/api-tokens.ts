import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import {
  ApiTokenSchema,
  ApiTokensSchema,
  NewApiTokenRequest,
  NewApiTokenSchema,
} from '@harbinger/shared/people-api'
import type { People } from '../../people/people.ts'
import { byOf } from '../authorise.ts'
import { granted } from '../people-problems.ts'
import { RequestProblem } from '../problems.ts'
import { refuseWhileOpen } from './users.ts'

const params = Type.Object({ id: Type.Integer({ minimum: 1, maximum: 2 ** 31 }) })
const problems = {
  ...{ 400: ProblemSchema, 401: ProblemSchema, 403: ProblemSchema, 404: ProblemSchema },
  ...{ 409: ProblemSchema, 415: ProblemSchema },
}
const config = { access: 'admin', audits: true } as const
const tags = ['people']

/** What programs ask this hub with. */
export const apiTokenRoutes: FastifyPluginAsyncTypebox<{ people: People }> = async (
  app,
  { people },
) => {
  const { accounts } = people

  app.get(
    '/api-tokens',
    {
      config,
      schema: {
        summary: 'API tokens: what each may, until when, when it was last used; never the token',
        tags,
        response: { 200: ApiTokensSchema, ...problems },
      },
    },
    async () => ({ apiTokens: accounts.apiTokens(), nextCursor: null }),
  )

  app.post(
    '/api-tokens',
    {
      config,
      schema: {
        summary: 'Makes an API token; this answer alone holds it',
        tags,
        body: NewApiTokenRequest,
        response: { 200: NewApiTokenSchema, ...problems },
      },
    },
    async (request) => {
      refuseWhileOpen(people)
      const { caller } = request
      const userId = caller?.kind === 'user' ? caller.userId : null
      // One that was stolen would make itself a successor before it is revoked.
      if (caller?.kind === 'token') {
        throw new RequestProblem(
          409,
          'refused',
          'an API token makes no API token: log in, or run "harbinger api-token create"',
        )
      }
      return accounts.createToken(request.body, { by: byOf(request), userId })
    },
  )

  app.delete(
    '/api-tokens/:id',
    {
      config,
      schema: {
        summary: 'Revokes an API token; it is worth nothing from then on',
        tags,
        params,
        body: Type.Object({}, { additionalProperties: false }),
        response: { 200: ApiTokenSchema, ...problems },
      },
    },
    async (request) => granted(accounts.revokeToken(request.params.id, byOf(request))),
  )
}
