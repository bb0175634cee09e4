import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import { AgentSchema, AgentsSchema } from '@harbinger/shared/enrolment-api'
import { serverNamePattern } from '@harbinger/shared/server'
import { notFound } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

type Options = Pick<ViewSources, 'agents' | 'revokeAgent' | 'allowRejoin'>

const params = Type.Object({ name: Type.String({ pattern: serverNamePattern }) })
const body = Type.Object({}, { additionalProperties: false })
const response = {
  200: AgentSchema,
  ...{ 400: ProblemSchema, 404: ProblemSchema, 415: ProblemSchema },
}

/** Agents that have a certificate of this hub. */
export const agentRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { agents, revokeAgent, allowRejoin },
) => {
  app.get(
    '/agents',
    {
      config: { access: 'operate' },
      schema: {
        summary: 'Enrolled agents by name, with the end of their certificates',
        tags: ['hub'],
        response: { 200: AgentsSchema },
      },
    },
    async () => agents(),
  )

  app.post(
    '/agents/:name/revoke',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Takes an agent its right to speak; a live connection ends at once',
        tags: ['hub'],
        params,
        body,
        response,
      },
    },
    async ({ params: { name } }) => known(revokeAgent(name), name),
  )

  app.post(
    '/agents/:name/allow-rejoin',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Lets a server that is enrolled or revoked join once more, with any usable token',
        tags: ['hub'],
        params,
        body,
        response,
      },
    },
    async ({ params: { name } }) => known(allowRejoin(name), name),
  )
}

function known<Answer>(answer: Answer | undefined, name: string): Answer {
  if (answer === undefined) {
    throw notFound(`no agent is enrolled as "${name}"; GET /api/v1/agents lists them`)
  }
  return answer
}
