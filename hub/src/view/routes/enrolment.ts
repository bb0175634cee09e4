import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import {
  CheckedSchema,
  CheckRequestSchema,
  EnrolledSchema,
  EnrolRequestSchema,
  RenewRequestSchema,
} from '@harbinger/shared/enrolment-api'
import type { FastifyReply } from 'fastify'
import { RequestProblem } from '../problems.ts'
import type { EnrolmentRefused, ViewSources } from '../view-sources.ts'

type Options = Pick<ViewSources, 'enrol' | 'renewAgent' | 'checkAgent'>

/** Two signing requests and a certificate; nobody who has not logged in may send more. */
const bodyLimit = 32 * 1024
const response = {
  200: EnrolledSchema,
  ...{ 400: ProblemSchema, 403: ProblemSchema, 409: ProblemSchema },
  ...{ 415: ProblemSchema, 429: ProblemSchema },
}

/** Where agents get their certificates. Public: a token, or the certificate so far, is the right to ask. */
export const enrolmentRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { enrol, renewAgent, checkAgent },
) => {
  app.post(
    '/enroll',
    {
      config: { access: 'public' },
      bodyLimit,
      schema: {
        summary: 'Enrols a server: a token and a signing request buy a client certificate',
        tags: ['hub'],
        body: EnrolRequestSchema,
        response,
      },
    },
    async ({ body, ip }, reply) => answered(await enrol(body, ip), reply),
  )

  app.post(
    '/enroll/renew',
    {
      config: { access: 'public' },
      bodyLimit,
      schema: {
        summary: 'The next certificate of an agent, asked for with the key of the present one',
        tags: ['hub'],
        body: RenewRequestSchema,
        response,
      },
    },
    async ({ body, ip }, reply) => answered(await renewAgent(body, ip), reply),
  )

  app.post(
    '/enroll/check',
    {
      config: { access: 'public' },
      bodyLimit,
      schema: {
        summary:
          'Whether an agent is let in, asked with the key of its certificate; nothing changes',
        tags: ['hub'],
        body: CheckRequestSchema,
        response: { ...response, 200: CheckedSchema },
      },
    },
    async ({ body, ip }, reply) => answered(checkAgent(body, ip), reply),
  )
}

function answered<Answer>(answer: Answer | EnrolmentRefused, reply: FastifyReply): Answer {
  if (!isRefused(answer)) return answer
  const { status, refused, retrySeconds } = answer
  if (retrySeconds !== undefined) reply.header('retry-after', String(retrySeconds))
  throw new RequestProblem(status, status === 429 ? 'too_many_requests' : 'refused', refused)
}

const isRefused = (answer: unknown): answer is EnrolmentRefused =>
  typeof answer === 'object' && answer !== null && 'refused' in answer
