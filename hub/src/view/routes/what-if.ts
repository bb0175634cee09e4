import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import {
  WhatIfChangeSchema,
  WhatIfRequestSchema,
  WhatIfSchema,
} from '@harbinger/shared/explanation'
import { serverNamePattern } from '@harbinger/shared/server'
import { badRequest, noSuchServer, RequestProblem } from '../problems.ts'
import type { ViewSources } from '../view-sources.ts'

/** What would be forecast had the last minutes been otherwise. Nothing is kept, so whoever may look may ask. */
export const whatIfRoutes: FastifyPluginAsyncTypebox<Pick<ViewSources, 'whatIf'>> = async (
  app,
  { whatIf },
) => {
  app.post(
    '/servers/:name/what-if',
    {
      config: { access: 'read' },
      // Validation would drop what it does not know, and "minute: 30" would be answered as if it were not there.
      preValidation: async ({ body }) => {
        const unknown = unknownField(body)
        if (unknown !== undefined) throw badRequest(`body ${unknown}: is not known here`)
      },
      schema: {
        summary:
          'The forecasters run again on changed input: both forecasts, their difference, and that of the risk',
        tags: ['servers'],
        params: Type.Object({ name: Type.String({ pattern: serverNamePattern }) }),
        body: WhatIfRequestSchema,
        response: {
          200: WhatIfSchema,
          400: ProblemSchema,
          404: ProblemSchema,
          409: ProblemSchema,
        },
      },
    },
    async ({ params: { name }, body }) => {
      const answer = await whatIf(name, body)
      if (!answer) throw noSuchServer(name)
      if (!('refused' in answer)) return answer
      throw answer.kind === 'invalid'
        ? badRequest(answer.refused)
        : new RequestProblem(409, 'no_forecast', answer.refused)
    },
  )
}

const known = Object.keys(WhatIfRequestSchema.properties)
const knownOfChange = Object.keys(WhatIfChangeSchema.properties)

function unknownField(body: unknown): string | undefined {
  const strange = (of: unknown, fields: readonly string[]) =>
    typeof of === 'object' && of !== null
      ? Object.keys(of).find((field) => !fields.includes(field))
      : undefined
  const outer = Array.isArray(body) ? undefined : strange(body, known)
  if (outer !== undefined) return outer.slice(0, 80)
  const changes = (body as { readonly changes?: unknown } | null)?.changes
  if (!Array.isArray(changes)) return undefined
  for (const [i, change] of changes.entries()) {
    const inner = strange(change, knownOfChange)
    if (inner !== undefined) return `changes.${i}.${inner.slice(0, 80)}`
  }
  return undefined
}
