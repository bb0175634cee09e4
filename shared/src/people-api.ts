import { type Static, Type } from 'typebox'

/** Who may look at a hub and who may change what, as it is told over REST. */

/** Each may what the one before may, and more. */
export const roles = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

/** What a route asks for; also the scopes of API tokens. */
export const scopes = ['read', 'operate', 'admin'] as const
export type Scope = (typeof scopes)[number]

const RoleSchema = Type.Enum([...roles])
const ScopeSchema = Type.Enum([...scopes])
const Instant = Type.String({ format: 'date-time' })
const nullable = <S extends Parameters<typeof Type.Union>[0][number]>(schema: S) =>
  Type.Union([schema, Type.Null()])

/** Letters, digits and what names and addresses of people are made of; begins and ends with a letter or digit. */
export const userNamePattern = '^[\\p{L}\\p{N}]([\\p{L}\\p{N}._@+-]{0,62}[\\p{L}\\p{N}])?$'
export const passwordLength = { min: 12, max: 256 } as const

const UserName = Type.String({ minLength: 1, maxLength: 64 })
const NewPassword = Type.String({ minLength: 1, maxLength: 1024 })

/** `open`: nobody has to log in, the hub listens on loopback and has no users. `setup`: it waits for its first admin. */
export const accessModes = ['open', 'setup', 'login'] as const

export const SessionSchema = Type.Object({
  mode: Type.Enum([...accessModes]),
  /** Null: log in first. */
  caller: nullable(
    Type.Object({
      name: Type.String(),
      role: RoleSchema,
      kind: Type.Enum(['open', 'user', 'token', 'command']),
      /** Whether a password of this hub can be changed; a provider's cannot. */
      hasPassword: Type.Boolean(),
    }),
  ),
  /** Where people can sign in besides; null when nowhere. */
  provider: nullable(Type.Object({ label: Type.String() })),
  /** What everybody must know, in words; null when all is as it should be. */
  notice: nullable(Type.String()),
})
export type SessionAnswer = Static<typeof SessionSchema>

export const LoginRequest = Type.Object(
  { name: UserName, password: NewPassword },
  { additionalProperties: false },
)
export const SetUpRequest = Type.Object(
  { secret: Type.String({ minLength: 1, maxLength: 200 }), name: UserName, password: NewPassword },
  { additionalProperties: false },
)
export const OwnPasswordRequest = Type.Object(
  { current: NewPassword, next: NewPassword },
  { additionalProperties: false },
)

export const UserSchema = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  role: RoleSchema,
  /** `provider`: signs in there, and its role comes from there. */
  source: Type.Enum(['local', 'provider']),
  createdAt: Instant,
  createdBy: Type.String(),
  lastLoginAt: nullable(Instant),
  sessions: Type.Integer({ description: 'where this person is logged in now' }),
})
export type User = Static<typeof UserSchema>
export const UsersSchema = Type.Object({
  users: Type.Array(UserSchema),
  nextCursor: nullable(Type.String()),
})
export type Users = Static<typeof UsersSchema>
export const NewUserRequest = Type.Object(
  { name: UserName, role: RoleSchema, password: NewPassword },
  { additionalProperties: false },
)
export const UserChangeRequest = Type.Object(
  { role: Type.Optional(RoleSchema), password: Type.Optional(NewPassword) },
  // One thing at a time, so that nothing is half done.
  { additionalProperties: false, minProperties: 1, maxProperties: 1 },
)

export const ApiTokenSchema = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  scope: ScopeSchema,
  createdAt: Instant,
  createdBy: Type.String(),
  expiresAt: Instant,
  lastUsedAt: nullable(Instant),
})
export type ApiToken = Static<typeof ApiTokenSchema>
export const ApiTokensSchema = Type.Object({
  apiTokens: Type.Array(ApiTokenSchema),
  nextCursor: nullable(Type.String()),
})
export type ApiTokens = Static<typeof ApiTokensSchema>
export const tokenDays = { default: 90, max: 730 } as const
export const NewApiTokenRequest = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\x00-\\x1f\\x7f]+$' }),
    scope: ScopeSchema,
    days: Type.Optional(Type.Integer({ minimum: 1, maximum: tokenDays.max })),
  },
  { additionalProperties: false },
)
/** The only time that the token itself is told. */
export const NewApiTokenSchema = Type.Object({
  ...ApiTokenSchema.properties,
  token: Type.String(),
})
export type NewApiToken = Static<typeof NewApiTokenSchema>

export const AuditEntrySchema = Type.Object({
  id: Type.Integer(),
  at: Instant,
  who: Type.String({
    description: 'a user, an API token, an enrolment token, the command line, or nobody known',
  }),
  address: Type.String(),
  action: Type.String(),
  target: Type.String(),
  outcome: Type.Enum(['done', 'refused', 'failed']),
  detail: Type.String(),
})
export type AuditEntry = Static<typeof AuditEntrySchema>
export const AuditQuery = Type.Object({
  who: Type.Optional(Type.String({ maxLength: 100 })),
  outcome: Type.Optional(Type.Enum(['done', 'refused', 'failed'])),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
  cursor: Type.Optional(Type.String({ pattern: '^\\d{1,15}$' })),
})
export const AuditSchema = Type.Object({
  entries: Type.Array(AuditEntrySchema),
  nextCursor: nullable(Type.String()),
})
export type Audit = Static<typeof AuditSchema>

export const DoneSchema = Type.Object({ done: Type.Literal(true) })
