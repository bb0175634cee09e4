import type { EnrolmentToken, TokenRequest } from '@harbinger/shared/enrolment-api'
import type { NewToken, Token } from '../storage/token-store.ts'

const hourMs = 3_600_000

/** What is not asked for is the narrowest that is of use: one server, one day. */
export const newToken = (asked: TokenRequest, now: number): NewToken => ({
  note: asked.note ?? '',
  expiresAt: Math.round(now + (asked.hours ?? 24) * hourMs),
  usesAllowed: asked.uses ?? 1,
  rejoin: asked.rejoin ?? false,
  profile: asked.profile ?? null,
  tags: asked.tags ?? [],
})

/** What a token still buys. */
export function tokenState(
  token: Pick<Token, 'revokedAt' | 'expiresAt' | 'uses' | 'usesAllowed'>,
  now: number,
): EnrolmentToken['state'] {
  if (token.revokedAt !== null) return 'revoked'
  if (token.uses >= token.usesAllowed) return 'used up'
  return token.expiresAt <= now ? 'expired' : 'usable'
}
