import type { Problem } from '@harbinger/shared/api'
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify'
import type { Log } from '../log.ts'
import { pathOf, servePage } from './user-interface-page.ts'

/** A refusal with words for the person who asked. */
export class RequestProblem extends Error {
  readonly statusCode: number
  readonly code: string
  /** When asking again may help. */
  readonly retryAfterSeconds: number | undefined

  constructor(statusCode: number, code: string, message: string, retryAfterSeconds?: number) {
    super(message)
    this.name = 'RequestProblem'
    this.statusCode = statusCode
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export const badRequest = (message: string) => new RequestProblem(400, 'invalid_request', message)
export const notFound = (message: string) => new RequestProblem(404, 'not_found', message)

export const noSuchServer = (name: string) =>
  notFound(`no server is named "${name}"; GET /api/v1/servers lists the names`)

export const problem = (code: string, message: string): Problem => ({ error: { code, message } })

const codes: { readonly [status: number]: string } = {
  400: 'invalid_request',
  401: 'log_in_first',
  403: 'forbidden',
  404: 'not_found',
  413: 'too_large',
  414: 'too_long',
  415: 'unsupported_media_type',
}

/** Every error leaves the hub in one shape; what went wrong inside stays in the log. */
export function answerProblems(
  app: FastifyInstance,
  { log, uiDirectory }: { log: Log; uiDirectory: string },
): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500 && !(error instanceof RequestProblem)) {
      log.error({ err: error, method: request.method, url: request.url }, 'request failed')
      return reply
        .code(500)
        .send(
          problem(
            'internal',
            `the hub failed to answer; its log has the details under request ${request.id}`,
          ),
        )
    }
    if (error instanceof RequestProblem && error.retryAfterSeconds !== undefined) {
      reply.header('retry-after', String(error.retryAfterSeconds))
    }
    const code = error instanceof RequestProblem ? error.code : (codes[status] ?? 'refused')
    return reply.code(status).send(problem(code, explain(error, request)))
  })

  app.setNotFoundHandler((request, reply) => {
    if (servePage(uiDirectory, request, reply)) return
    void reply
      .code(404)
      .send(
        problem(
          'not_found',
          `${request.method} ${pathOf(request.url)} does not exist; /api/docs lists what does`,
        ),
      )
  })
}

function explain(error: FastifyError, request: FastifyRequest): string {
  const [first] = error.validation ?? []
  if (!first) return error.message
  const part = { querystring: 'query', params: 'path', body: 'body', headers: 'header' }[
    error.validationContext ?? 'body'
  ]
  const field = first.instancePath.slice(1).replaceAll('/', '.')
  const allowed = first.params['allowedValues']
  const expected = Array.isArray(allowed) ? `must be one of ${allowed.join(', ')}` : first.message
  const got = valueAt(request, error.validationContext, first.instancePath)
  return `${part} ${field}: ${expected}${got === undefined ? '' : `, got ${got}`}`.replace(
    ' :',
    ':',
  )
}

function valueAt(
  request: FastifyRequest,
  context: string | undefined,
  path: string,
): string | undefined {
  if (path === '') return undefined
  let value: unknown = { querystring: request.query, params: request.params, body: request.body }[
    context ?? ''
  ]
  for (const key of path.slice(1).split('/')) value = (value as Record<string, unknown>)?.[key]
  return JSON.stringify(value)?.slice(0, 80)
}
