import {
  type ApiToken,
  type NewApiToken,
  type Role,
  type Scope,
  tokenDays,
  type User,
  userNamePattern,
} from '@harbinger/shared/people-api'
import type { AuditStore } from '../storage/audit-store.ts'
import type { ApiTokenStore, SessionStore, StoredToken } from '../storage/session-store.ts'
import type { StoredUser, UserStore } from '../storage/user-store.ts'
import type { By } from './caller.ts'
import { hashPassword, whyWeak } from './password.ts'
import { hashOf, newSecret } from './secrets.ts'

export type Refused = { readonly refused: string; readonly kind: 'invalid' | 'conflict' | 'absent' }

export type PeopleStores = {
  readonly users: UserStore
  readonly sessions: SessionStore
  readonly apiTokens: ApiTokenStore
  readonly audit: AuditStore
}

export type Accounts = ReturnType<typeof accounts>

/** So that a scanner of secrets, and a reader of a log, sees what it is. */
const tokenPrefix = 'harbinger_api_'
const dayMs = 86_400_000

const refuse = (kind: Refused['kind'], refused: string): Refused => ({ kind, refused })
const instant = (at: number): string => new Date(at).toISOString()

const lastAdmin = (name: string) =>
  refuse(
    'conflict',
    `${name} is the last admin with a password: make another one first, or nobody could manage this hub`,
  )

/** Users and API tokens as admins manage them, in the browser and on the command line; every change is audited. */
export function accounts(
  stores: PeopleStores,
  {
    now,
    hash = hashPassword,
  }: { readonly now: () => number; readonly hash?: (password: string) => Promise<string> },
) {
  const { users, sessions, apiTokens, audit } = stores

  const note = ({ who, address }: By, action: string, target: string, detail = ''): void =>
    audit.add({ at: now(), who, address, action, target, outcome: 'done', detail })

  const toUser = (user: StoredUser): User => ({
    ...{ id: user.id, name: user.name, role: user.role },
    source: user.password === null ? 'provider' : 'local',
    ...{ createdAt: instant(user.createdAt), createdBy: user.createdBy },
    lastLoginAt: user.lastLoginAt === null ? null : instant(user.lastLoginAt),
    sessions: sessions.countOf(user.id),
  })

  const toToken = ({ id, name, scope, createdBy, ...token }: StoredToken): ApiToken => ({
    ...{ id, name, scope, createdBy },
    ...{ createdAt: instant(token.createdAt), expiresAt: instant(token.expiresAt) },
    lastUsedAt: token.lastUsedAt === null ? null : instant(token.lastUsedAt),
  })

  const noUser = (id: number | string) => refuse('absent', `there is no user ${id}`)

  /** Why no user can be made of this; undefined when one can. */
  function whyNot(name: string, password: string): Refused | undefined {
    if (!new RegExp(userNamePattern, 'u').test(name)) {
      return refuse(
        'invalid',
        'a name has 1 to 64 letters, digits and . _ @ + -, and begins and ends with a letter or digit',
      )
    }
    const weak = whyWeak(password, name)
    return weak === undefined ? undefined : refuse('invalid', weak)
  }

  return {
    whyNot,
    users: (): User[] => users.all().map(toUser),
    find: (name: string): User | undefined => {
      const found = users.find(name)
      return found && toUser(found)
    },
    apiTokens: (): ApiToken[] => apiTokens.all().map(toToken),

    /** The first user is an admin: without one nobody could make the others. */
    async addUser(
      { name, role, password }: { name: string; role: Role; password: string },
      by: By,
    ): Promise<User | Refused> {
      const bad = whyNot(name, password)
      if (bad) return bad
      if (!users.exist() && role !== 'admin') {
        return refuse('conflict', 'the first user of a hub is an admin')
      }
      const made = users.add({ name, role, password: await hash(password), at: now(), by: by.who })
      if (!made) return refuse('conflict', `there is a user ${name} already`)
      note(by, 'user added', made.name, `role ${role}`)
      return toUser(made)
    },

    setRole(id: number, role: Role, by: By): User | Refused {
      return users.inOne(() => {
        const user = users.get(id)
        if (!user) return noUser(id)
        if (user.password === null) {
          return refuse(
            'conflict',
            `the role of ${user.name} comes from the sign-in provider, each time they sign in; change it there`,
          )
        }
        if (role !== 'admin' && users.isLastAdmin(user)) return lastAdmin(user.name)
        users.setRole(id, role)
        note(by, 'role changed', user.name, `from ${user.role} to ${role}`)
        return toUser(users.get(id)!)
      })
    },

    /** Logs the user out wherever they are logged in, but for the session given. */
    async setPassword(
      id: number,
      password: string,
      { by, keep }: { readonly by: By; readonly keep?: Buffer },
    ): Promise<User | Refused> {
      const user = users.get(id)
      if (!user) return noUser(id)
      if (user.password === null) {
        return refuse('conflict', `${user.name} signs in at a provider and has no password here`)
      }
      const weak = whyWeak(password, user.name)
      if (weak !== undefined) return refuse('invalid', weak)
      const hashed = await hash(password)
      return users.inOne(() => {
        if (!users.setPassword(id, hashed)) return noUser(id)
        const ended = sessions.endAll(id, keep)
        note(by, 'password set', user.name, `${ended} sessions ended`)
        return toUser(users.get(id)!)
      })
    },

    removeUser(id: number, by: By): User | Refused {
      return users.inOne(() => {
        const user = users.get(id)
        if (!user) return noUser(id)
        if (users.isLastAdmin(user)) return lastAdmin(user.name)
        const gone = toUser(user)
        // Sessions and API tokens of the user go with it.
        users.remove(id)
        note(by, 'user removed', user.name, `role ${user.role}`)
        return gone
      })
    },

    /** Wherever the user is logged in. */
    endSessions(id: number, by: By): User | Refused {
      const user = users.get(id)
      if (!user) return noUser(id)
      const ended = sessions.endAll(id)
      note(by, 'logged out everywhere', user.name, `${ended} sessions ended`)
      return toUser(user)
    },

    /** The token is told this once; only its hash is kept. */
    createToken(
      asked: { readonly name: string; readonly scope: Scope; readonly days?: number | undefined },
      { by, userId }: { readonly by: By; readonly userId: number | null },
    ): NewApiToken {
      const token = `${tokenPrefix}${newSecret()}`
      const { name, scope, days = tokenDays.default } = asked
      const made = apiTokens.add({
        ...{ name, scope, userId, hash: hashOf(token), createdBy: by.who, createdAt: now() },
        expiresAt: now() + days * dayMs,
      })
      note(by, 'API token created', `${made.id} ${name}`, `scope ${scope}, ${days} days`)
      return { ...toToken(made), token }
    },

    revokeToken(id: number, by: By): ApiToken | Refused {
      const token = apiTokens.get(id)
      if (!token || !apiTokens.revoke(id)) return refuse('absent', `there is no API token ${id}`)
      note(by, 'API token revoked', `${id} ${token.name}`)
      return toToken(token)
    },
  }
}

export const isApiToken = (text: string): boolean => text.startsWith(tokenPrefix)
