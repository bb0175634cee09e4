import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '@harbinger/shared/api'
import {
  NewUserRequest,
  UserChangeRequest,
  UserSchema,
  UsersSchema,
} from '@harbinger/shared/people-api'
import type { People } from '../../people/people.ts'
import { byOf } from '../authorise.ts'
import { granted } from '../people-problems.ts'
import { RequestProblem } from '../problems.ts'

const params = Type.Object({ id: Type.Integer({ minimum: 1, maximum: 2 ** 31 }) })
const problems = {
  ...{ 400: ProblemSchema, 401: ProblemSchema, 403: ProblemSchema, 404: ProblemSchema },
  ...{ 409: ProblemSchema, 415: ProblemSchema, 503: ProblemSchema },
}
const empty = Type.Object({}, { additionalProperties: false })
const config = { access: 'admin', audits: true } as const
const tags = ['people']

/** Who may log in to this hub. */
export const userRoutes: FastifyPluginAsyncTypebox<{ people: People }> = async (
  app,
  { people },
) => {
  const { accounts } = people

  app.get(
    '/users',
    {
      config,
      schema: { summary: 'Who may log in', tags, response: { 200: UsersSchema, ...problems } },
    },
    async () => ({ users: accounts.users(), nextCursor: null }),
  )

  app.post(
    '/users',
    {
      config,
      schema: {
        summary: 'Adds a user with a password',
        tags,
        body: NewUserRequest,
        response: { 200: UserSchema, ...problems },
      },
    },
    async (request) => {
      refuseWhileOpen(people)
      return granted(accounts.addUser(request.body, byOf(request)))
    },
  )

  app.patch(
    '/users/:id',
    {
      config,
      schema: {
        summary: 'Another role or another password; a password logs the user out everywhere',
        tags,
        params,
        body: UserChangeRequest,
        response: { 200: UserSchema, ...problems },
      },
    },
    async (request) => {
      const { id } = request.params
      const { role, password } = request.body
      const by = byOf(request)
      if (role !== undefined) return granted(accounts.setRole(id, role, by))
      return granted(accounts.setPassword(id, password!, { by }))
    },
  )

  app.delete(
    '/users/:id',
    {
      config,
      schema: {
        summary: 'Removes a user with their sessions and API tokens',
        tags,
        params,
        body: empty,
        response: { 200: UserSchema, ...problems },
      },
    },
    async (request) => granted(accounts.removeUser(request.params.id, byOf(request))),
  )

  app.post(
    '/users/:id/logout',
    {
      config,
      schema: {
        summary: 'Logs a user out everywhere',
        tags,
        params,
        body: empty,
        response: { 200: UserSchema, ...problems },
      },
    },
    async (request) => granted(accounts.endSessions(request.params.id, byOf(request))),
  )
}

/** What is made while nobody has to log in would outlive that: whoever used this machine then could come back. */
export function refuseWhileOpen(people: Pick<People, 'mode'>): void {
  if (people.mode() !== 'open') return
  throw new RequestProblem(
    409,
    'set_up_first',
    'nobody has to log in to this hub yet: make its first admin on the page /set-up, or run "harbinger user add NAME --role admin" on its machine',
  )
}
