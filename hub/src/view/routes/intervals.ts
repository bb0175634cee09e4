import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import {
  IntervalEstimateSchema,
  IntervalRuleRequest,
  IntervalRuleSchema,
  IntervalsSchema,
  RuleEstimateQuery,
  RuleTargetSchema,
} from '@harbinger/shared/intervals-api'
import { notFound, RequestProblem } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

type Options = Pick<
  ViewSources,
  'intervals' | 'estimateInterval' | 'setInterval' | 'removeInterval'
>

const problems = { 400: ProblemSchema, 404: ProblemSchema, 409: ProblemSchema, 415: ProblemSchema }
const tags = ['servers']

/** At what interval servers sample. */
export const intervalRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { intervals, estimateInterval, setInterval, removeInterval },
) => {
  app.get(
    '/intervals',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Rules for the sampling interval: of a server before of a tag before of a profile',
        tags,
        response: { 200: IntervalsSchema },
      },
    },
    async () => intervals(),
  )

  app.get(
    '/intervals/estimate',
    {
      config: { access: 'read' },
      schema: {
        summary: 'What a rule, or its removal, would do: servers, and bytes a day before and after',
        tags,
        querystring: RuleEstimateQuery,
        response: { 200: IntervalEstimateSchema, 400: ProblemSchema },
      },
    },
    async ({ query }) => estimateInterval(query),
  )

  app.put(
    '/intervals',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Sets the interval of a server, a tag or a profile; agents follow within one',
        tags,
        body: IntervalRuleRequest,
        response: { 200: IntervalRuleSchema, ...problems },
      },
    },
    async (request) => {
      const { kind, target, seconds } = request.body
      const rule = setInterval(request.body, request.caller?.name ?? '')
      request.changed = `${kind} ${target}: ${seconds} s`
      if ('refused' in rule) throw new RequestProblem(409, 'refused', rule.refused)
      return rule
    },
  )

  app.delete(
    '/intervals',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Removes a rule; the next wider one decides, or the agent itself',
        tags,
        querystring: RuleTargetSchema,
        body: Type.Object({}, { additionalProperties: false }),
        response: { 200: RuleTargetSchema, ...problems },
      },
    },
    async (request) => {
      const { kind, target } = request.query
      request.changed = `${kind} ${target}`
      const removed = removeInterval({ kind, target })
      if (!removed) {
        throw notFound(`there is no rule for ${kind} "${target}"; GET /api/v1/intervals lists them`)
      }
      return removed
    },
  )
}
