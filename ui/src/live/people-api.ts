import type {
  ApiToken,
  ApiTokens,
  Audit,
  NewApiToken,
  Role,
  Scope,
  SessionAnswer,
  User,
  Users,
} from '@harbinger/shared/people-api'
import { ask } from './hub-api.ts'

const send = async <Answer>(method: string, path: string, body: object = {}): Promise<Answer> =>
  (
    await ask(path, {
      ...{ method, body: JSON.stringify(body) },
      headers: { 'content-type': 'application/json' },
    })
  ).json()

export const readSession = async (): Promise<SessionAnswer> => (await ask('/session')).json()
export const logIn = (name: string, password: string): Promise<SessionAnswer> =>
  send('POST', '/session', { name, password })
export const setUpHub = (asked: {
  readonly secret: string
  readonly name: string
  readonly password: string
}): Promise<SessionAnswer> => send('POST', '/set-up', asked)
export const logOut = (everywhere = false): Promise<unknown> =>
  send('DELETE', everywhere ? '/session/all' : '/session')
export const changeOwnPassword = (current: string, next: string): Promise<unknown> =>
  send('POST', '/session/password', { current, next })

export const readUsers = async (): Promise<Users> => (await ask('/users')).json()
export const addUser = (asked: {
  readonly name: string
  readonly role: Role
  readonly password: string
}): Promise<User> => send('POST', '/users', asked)
export const changeUser = (
  id: number,
  change: { readonly role?: Role; readonly password?: string },
): Promise<User> => send('PATCH', `/users/${id}`, change)
export const removeUser = (id: number): Promise<User> => send('DELETE', `/users/${id}`)
export const endSessions = (id: number): Promise<User> => send('POST', `/users/${id}/logout`)

export const readApiTokens = async (): Promise<ApiTokens> => (await ask('/api-tokens')).json()
export const createApiToken = (asked: {
  readonly name: string
  readonly scope: Scope
  readonly days: number
}): Promise<NewApiToken> => send('POST', '/api-tokens', asked)
export const revokeApiToken = (id: number): Promise<ApiToken> => send('DELETE', `/api-tokens/${id}`)

export async function readAudit(asked: {
  readonly outcome?: string
  readonly who?: string
  readonly cursor?: string
}): Promise<Audit> {
  const given = Object.entries(asked).filter(([, value]) => value)
  return (await ask(`/audit?${new URLSearchParams(given)}`)).json()
}
