import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import {
  TrainingRequestSchema,
  TrainingSchema,
  TrainingsSchema,
} from '@harbinger/shared/models-api'
import { notFound, RequestProblem } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

type Options = Pick<ViewSources, 'trainings' | 'training' | 'train' | 'cancelTraining'>

const params = Type.Object({ id: Type.Integer({ minimum: 1, maximum: 2 ** 31 }) })
const problems = { 400: ProblemSchema, 404: ProblemSchema, 409: ProblemSchema, 415: ProblemSchema }

/** Trainings of models on this hub's own history. */
export const trainingRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { trainings, training, train, cancelTraining },
) => {
  app.get(
    '/training',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Trainings, newest first, and when the hub trains by itself',
        tags: ['hub'],
        response: { 200: TrainingsSchema },
      },
    },
    async () => trainings(),
  )

  app.get(
    '/training/:id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'One training: progress, time left, loss curve',
        tags: ['hub'],
        params,
        response: { 200: TrainingSchema, ...problems },
      },
    },
    async ({ params: { id } }) => known(training(id), id),
  )

  app.post(
    '/training',
    {
      config: { access: 'operate' },
      schema: {
        summary: 'Trains a model on what this hub has measured; one at a time',
        tags: ['hub'],
        body: TrainingRequestSchema,
        response: { 200: TrainingSchema, ...problems },
      },
    },
    async ({ body }) => {
      const asked = train(body)
      if ('refused' in asked) throw new RequestProblem(409, 'refused', asked.refused)
      return asked
    },
  )

  app.post(
    '/training/:id/cancel',
    {
      config: { access: 'operate' },
      schema: {
        summary: 'Ends a training; what it had learnt is dropped',
        tags: ['hub'],
        params,
        body: Type.Object({}, { additionalProperties: false }),
        response: { 200: TrainingSchema, ...problems },
      },
    },
    async ({ params: { id } }) => known(cancelTraining(id), id),
  )
}

function known<Answer>(answer: Answer | undefined, id: number): Answer {
  if (answer === undefined) {
    throw notFound(`there is no training ${id}; GET /api/v1/training lists them`)
  }
  return answer
}
