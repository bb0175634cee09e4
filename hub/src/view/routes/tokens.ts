import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import {
  MadeTokenSchema,
  TokenRequestSchema,
  TokenSchema,
  TokensSchema,
} from '@harbinger/shared/enrolment-api'
import { notFound, RequestProblem } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

type Options = Pick<ViewSources, 'tokens' | 'createToken' | 'revokeToken'>

const params = Type.Object({ id: Type.String({ pattern: '^[a-z0-9]{1,16}$' }) })
const problems = { 400: ProblemSchema, 404: ProblemSchema, 409: ProblemSchema, 415: ProblemSchema }

/** Tokens that let servers join. */
export const tokenRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { tokens, createToken, revokeToken },
) => {
  app.get(
    '/tokens',
    {
      config: { access: 'operate' },
      schema: {
        summary: 'Enrolment tokens, newest first, without what they are; and where agents join',
        tags: ['hub'],
        response: { 200: TokensSchema },
      },
    },
    async () => tokens(),
  )

  app.post(
    '/tokens',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Makes an enrolment token; the answer is the one place where it stands',
        tags: ['hub'],
        body: TokenRequestSchema,
        response: { 200: MadeTokenSchema, ...problems },
      },
    },
    async (request) => {
      const made = createToken(request.body)
      if ('refused' in made) throw new RequestProblem(409, 'refused', made.refused)
      // Of the audit log: which one, never what it is.
      request.changed = `enrolment token ${made.id}`
      return made
    },
  )

  app.post(
    '/tokens/:id/revoke',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Ends a token; agents that joined with it stay',
        tags: ['hub'],
        params,
        body: Type.Object({}, { additionalProperties: false }),
        response: { 200: TokenSchema, ...problems },
      },
    },
    async ({ params: { id } }) => {
      const token = revokeToken(id)
      if (!token) throw notFound(`there is no token ${id}; GET /api/v1/tokens lists them`)
      return token
    },
  )
}
