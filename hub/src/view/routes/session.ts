import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import {
  DoneSchema,
  LoginRequest,
  OwnPasswordRequest,
  type SessionAnswer,
  SessionSchema,
  SetUpRequest,
} from '@harbinger/shared/people-api'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../../people/caller.ts'
import type { LoggedIn, NotLoggedIn, People } from '../../people/people.ts'
import { byOf } from '../authorise.ts'
import { granted } from '../people-problems.ts'
import { RequestProblem } from '../problems.ts'
import { dropCookie, keepCookie } from '../session-cookie.ts'

const problems = {
  ...{ 400: ProblemSchema, 401: ProblemSchema, 409: ProblemSchema, 415: ProblemSchema },
  ...{ 429: ProblemSchema, 503: ProblemSchema },
}
const empty = Type.Object({}, { additionalProperties: false })
const tags = ['people']

/** Who the browser is logged in as; logging in and out; setting the hub up; one's own password. */
export const sessionRoutes: FastifyPluginAsyncTypebox<{ people: People }> = async (
  app,
  { people },
) => {
  const answer = (caller: Caller | null): SessionAnswer => ({
    mode: people.mode(),
    caller: caller && {
      ...{ name: caller.name, role: caller.role, kind: caller.kind },
      hasPassword: caller.kind === 'user' && caller.hasPassword,
    },
    provider: people.provider ? { label: people.provider.label } : null,
    notice: people.notice(),
  })

  /** A new session each time: what a browser held before is worth nothing afterwards. */
  async function enter(
    request: FastifyRequest,
    reply: FastifyReply,
    work: Promise<LoggedIn | NotLoggedIn>,
  ): Promise<SessionAnswer> {
    const { session } = await granted(work)
    if (request.caller) people.logout(request.caller, byOf(request))
    keepCookie(request, reply, { what: 'session', value: session })
    const caller = people.callerOf({ session })
    return answer(caller === 'unknown' ? null : (caller ?? null))
  }

  app.get(
    '/session',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Who asks, what they may, and whether anybody has to log in',
        tags,
        response: { 200: SessionSchema },
      },
    },
    async ({ caller }) => answer(caller),
  )

  app.post(
    '/session',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Logs in; the answer sets the cookie of the session',
        tags,
        body: LoginRequest,
        response: { 200: SessionSchema, ...problems },
      },
    },
    async (request, reply) => {
      const { name, password } = request.body
      return enter(request, reply, people.login(name, password, request.ip))
    },
  )

  app.post(
    '/set-up',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Makes the first admin; once, and with the set-up secret of the hub',
        tags,
        body: SetUpRequest,
        response: { 200: SessionSchema, ...problems },
      },
    },
    async (request, reply) => enter(request, reply, people.setUp(request.body, request.ip)),
  )

  app.delete(
    '/session',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Logs out, here',
        tags,
        body: empty,
        response: { 200: DoneSchema, 415: ProblemSchema },
      },
    },
    async (request, reply) => {
      if (request.caller) people.logout(request.caller, byOf(request))
      dropCookie(request, reply, 'session')
      return { done: true as const }
    },
  )

  app.delete(
    '/session/all',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Logs out wherever the same person is logged in',
        tags,
        body: empty,
        response: { 200: DoneSchema, ...problems },
      },
    },
    async (request, reply) => {
      const { userId } = person(request)
      await granted(people.accounts.endSessions(userId, byOf(request)))
      dropCookie(request, reply, 'session')
      return { done: true as const }
    },
  )

  app.post(
    '/session/password',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Changes one’s own password; logs out everywhere else',
        tags,
        body: OwnPasswordRequest,
        response: { 200: DoneSchema, ...problems },
      },
    },
    async (request) => {
      const caller = person(request)
      await granted(people.changeOwnPassword(caller, request.body, request.ip))
      return { done: true as const }
    },
  )
}

/** Tokens and commands have no session of their own to end, and no password. */
function person({ caller }: FastifyRequest): Extract<Caller, { kind: 'user' }> {
  if (caller?.kind === 'user') return caller
  throw new RequestProblem(409, 'refused', 'this is for people who have logged in')
}
