import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import {
  ModelCardSchema,
  ModelChangedSchema,
  ModelsSchema,
  PromoteRequest,
  RollbackRequest,
} from '@harbinger/shared/models-api'
import { notFound, RequestProblem } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

type Options = Pick<ViewSources, 'models' | 'model' | 'promote' | 'rollback'>

const params = Type.Object({ id: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }) })
const problems = { 400: ProblemSchema, 404: ProblemSchema, 409: ProblemSchema, 415: ProblemSchema }

/** Which models there are, which serves and why, and how another takes its place. */
export const modelRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { models, model, promote, rollback },
) => {
  app.get(
    '/models',
    {
      config: { access: 'read' },
      schema: {
        summary: 'All models: what serves and since when, the challenger, decisions with reasons',
        tags: ['hub'],
        response: { 200: ModelsSchema },
      },
    },
    async () => models(),
  )

  app.get(
    '/models/:id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'The report card of one model: manifest, backtest, conditions of a promotion',
        tags: ['hub'],
        params,
        response: { 200: ModelCardSchema, ...problems },
      },
    },
    async ({ params: { id } }) => known(model(id), id),
  )

  app.post(
    '/models/:id/promote',
    {
      config: { access: 'operate' },
      schema: {
        summary:
          'Puts a model into service when every condition holds, or when forced with a reason',
        tags: ['hub'],
        params,
        body: PromoteRequest,
        response: { 200: ModelChangedSchema, ...problems },
      },
    },
    async ({ params: { id }, body: { force } }) => {
      known(model(id), id)
      return done(await promote(id, force))
    },
  )

  app.post(
    '/models/rollback',
    {
      config: { access: 'operate' },
      schema: {
        summary: 'Back to the model that served before',
        tags: ['hub'],
        body: RollbackRequest,
        response: { 200: ModelChangedSchema, ...problems },
      },
    },
    async ({ body: { reason } }) => done(await rollback(reason ?? 'asked for by an operator')),
  )
}

function known<Answer>(answer: Answer | undefined, id: string): Answer {
  if (answer === undefined) {
    throw notFound(`there is no model "${id}"; GET /api/v1/models lists them`)
  }
  return answer
}

function done(outcome: Awaited<ReturnType<Options['promote']>>) {
  if ('refused' in outcome) throw new RequestProblem(409, 'refused', outcome.refused)
  return { id: outcome.id, reason: outcome.reason }
}
