import { type Static, type TSchema, Type } from 'typebox'
import { ProfileSchema } from './api.ts'
import { maxTokenHours, maxTokenUses } from './enrolment.ts'
import { serverNamePattern } from './server.ts'

/** Tokens, enrolment and enrolled agents over the REST API. Times are ISO 8601 UTC strings. */

const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const Instant = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' })
const Server = Type.String({ pattern: serverNamePattern })
const Pem = Type.String({ minLength: 1, maxLength: 8_192, description: 'PEM' })
const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 32 })
const none = { additionalProperties: false }

export const EnrolRequestSchema = Type.Object(
  {
    token: Type.String({ minLength: 1, maxLength: 128 }),
    server: Server,
    request: Type.String({
      minLength: 1,
      maxLength: 8_192,
      description: 'certificate signing request in PEM (PKCS #10); its common name is the server',
    }),
  },
  none,
)
export type EnrolRequest = Static<typeof EnrolRequestSchema>

export const RenewRequestSchema = Type.Object(
  {
    certificate: Pem,
    request: Pem,
    signature: Type.String({
      minLength: 1,
      maxLength: 1_024,
      description: 'of renewalStatement(request) by the key of the certificate, base64',
    }),
  },
  none,
)
export type RenewRequest = Static<typeof RenewRequestSchema>

export const CheckRequestSchema = Type.Object(
  {
    certificate: Pem,
    signature: Type.String({
      minLength: 1,
      maxLength: 1_024,
      description: 'of checkStatement(SHA-256 of the certificate) by its key, base64',
    }),
  },
  none,
)
export type CheckRequest = Static<typeof CheckRequestSchema>

/** What the hub thinks of an agent that asks. */
export const CheckedSchema = Type.Object({
  server: Type.String(),
  /** Why its certificate lets nobody in; null when it does. */
  problem: nullable(Type.String()),
  /** Whether it is connected now; null with an external broker. */
  connected: nullable(Type.Boolean()),
})
export type Checked = Static<typeof CheckedSchema>

export const EnrolledSchema = Type.Object({
  server: Type.String(),
  certificate: Pem,
  /** What to verify the hub with; null where the system's authorities know the hub's certificate. */
  ca: nullable(Type.String({ description: 'PEM' })),
  until: Instant,
  mqtt: Type.String({ description: 'where the hub hears agents, mqtts://host:port' }),
  profile: nullable(ProfileSchema),
  tags: Type.Array(Type.String()),
})
export type Enrolled = Static<typeof EnrolledSchema>

export const tokenStates = ['usable', 'used up', 'expired', 'revoked'] as const

export const TokenSchema = Type.Object({
  id: Type.String(),
  note: Type.String(),
  state: Type.Enum([...tokenStates]),
  createdAt: Instant,
  expiresAt: Instant,
  usesAllowed: Type.Integer(),
  uses: Type.Integer(),
  rejoin: Type.Boolean(),
  profile: nullable(ProfileSchema),
  tags: Type.Array(Type.String()),
})
export type EnrolmentToken = Static<typeof TokenSchema>

export const TokensSchema = Type.Object({
  tokens: Type.Array(TokenSchema),
  /** Where agents join; null when they cannot, and `problem` says why. */
  hub: nullable(Type.String()),
  caSha256: nullable(Type.String()),
  problem: nullable(Type.String()),
  nextCursor: nullable(Type.String()),
})
export type EnrolmentTokens = Static<typeof TokensSchema>

export const TokenRequestSchema = Type.Object(
  {
    note: Type.Optional(Type.String({ maxLength: 200, description: 'what it is for' })),
    hours: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: maxTokenHours, description: 'usable for; 24' }),
    ),
    uses: Type.Optional(
      Type.Integer({ minimum: 1, maximum: maxTokenUses, description: 'servers; 1' }),
    ),
    rejoin: Type.Optional(
      Type.Boolean({ description: 'also for servers that are enrolled already' }),
    ),
    profile: Type.Optional(ProfileSchema),
    tags: Type.Optional(Tags),
  },
  none,
)
export type TokenRequest = Static<typeof TokenRequestSchema>

export const MadeTokenSchema = Type.Object({
  ...TokenSchema.properties,
  token: Type.String({ description: 'told this one time; the hub keeps a hash' }),
  line: Type.String({ description: 'what to run on a server' }),
})
export type MadeToken = Static<typeof MadeTokenSchema>

export const AgentSchema = Type.Object({
  server: Type.String(),
  state: Type.Enum(['enrolled', 'expired', 'revoked']),
  /** Null where only an external broker knows. */
  connected: nullable(Type.Boolean()),
  enrolledAt: Instant,
  renewedAt: nullable(Instant),
  certificateUntil: Instant,
  revokedAt: nullable(Instant),
  /** Whether it may join once more. */
  rejoin: Type.Boolean(),
  token: Type.String({ description: 'id of the token it joined with' }),
})
export type AgentIdentity = Static<typeof AgentSchema>

export const AgentsSchema = Type.Object({
  agents: Type.Array(AgentSchema),
  nextCursor: nullable(Type.String()),
})
export type AgentIdentities = Static<typeof AgentsSchema>
