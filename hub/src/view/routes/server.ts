import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import {
  ForecastQuery,
  ForecastSchema,
  ProblemSchema,
  SamplesQuery,
  SamplesSchema,
  ServerDetailSchema,
} from '@harbinger/shared/api'
import { serverNamePattern } from '@harbinger/shared/server'
import { badRequest, noSuchServer } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

type Options = Pick<ViewSources, 'server' | 'samples' | 'forecast' | 'forecastNow' | 'now'>

const params = Type.Object({ name: Type.String({ pattern: serverNamePattern }) })
const problems = { 400: ProblemSchema, 404: ProblemSchema }
const dayMs = 24 * 3_600_000

/** One server: how it is, how it was, how it will probably be. */
export const serverRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { server, samples, forecast, forecastNow, now },
) => {
  app.get(
    '/servers/:name',
    {
      config: { access: 'read' },
      schema: {
        summary: 'One server, with its inventory, its agent and the reasons for its risk',
        tags: ['servers'],
        params,
        response: { 200: ServerDetailSchema, ...problems },
      },
    },
    async ({ params: { name } }) => orNoSuchServer(server(name), name),
  )

  app.get(
    '/servers/:name/samples',
    {
      config: { access: 'read' },
      schema: {
        summary: 'What was measured, aggregated to at most 2,000 points; the last 24 h by default',
        tags: ['servers'],
        params,
        querystring: SamplesQuery,
        response: { 200: SamplesSchema, ...problems },
      },
    },
    async ({ params: { name }, query }) => {
      const to = query.to === undefined ? now() : Date.parse(query.to)
      const from = query.from === undefined ? to - dayMs : Date.parse(query.from)
      if (from >= to) {
        throw badRequest(
          `query from: must be before to, got ${new Date(from).toISOString()} … ${new Date(to).toISOString()}`,
        )
      }
      const step = query.step === undefined ? {} : { stepSeconds: query.step }
      return orNoSuchServer(samples(name, { from, to, ...step }), name)
    },
  )

  app.get(
    '/servers/:name/forecast',
    {
      config: { access: 'read' },
      schema: {
        summary: 'The next 8 hours: quantiles per metric and step, their source, time to threshold',
        tags: ['servers'],
        params,
        querystring: ForecastQuery,
        response: { 200: ForecastSchema, ...problems },
      },
    },
    async ({ params: { name }, query: { fresh } }) => {
      if (fresh) await forecastNow(name)
      return orNoSuchServer(forecast(name), name)
    },
  )
}

function orNoSuchServer<Answer>(answer: Answer | undefined, name: string): Answer {
  if (answer === undefined) throw noSuchServer(name)
  return answer
}
