import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Profile } from '@harbinger/shared/profiles'
import type { Database } from './database.ts'

/** What an operator allows whoever holds a token to do: enrol servers, so many, until then. */
export type Token = {
  readonly id: string
  readonly note: string
  /** ms */
  readonly createdAt: number
  readonly expiresAt: number
  readonly usesAllowed: number
  readonly uses: number
  /** Whether a server that is enrolled already may join again with it. */
  readonly rejoin: boolean
  readonly profile: Profile | null
  readonly tags: readonly string[]
  readonly revokedAt: number | null
}

export type NewToken = Pick<
  Token,
  'note' | 'expiresAt' | 'usesAllowed' | 'rejoin' | 'profile' | 'tags'
>

type Row = Omit<Token, 'tags' | 'rejoin'> & {
  readonly tags: string
  readonly rejoin: number
  readonly secret: Buffer
}

export type TokenStore = ReturnType<typeof tokenStore>

const shape = /^hbt_([a-z0-9]{8})_([A-Za-z0-9_-]{43})$/
const kept = 200

/** The hub keeps what a token hashes to, never the token: who reads the database cannot enrol with it. */
export function tokenStore(db: Database) {
  const insert = db.prepare(
    `INSERT INTO enrolment_tokens (id, secret, note, created_at, expires_at, uses_allowed, uses, rejoin, profile, tags)
     VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
  )
  const columns = `id, secret, note, created_at AS createdAt, expires_at AS expiresAt, uses_allowed AS usesAllowed,
     uses, rejoin, profile, tags, revoked_at AS revokedAt`
  const find = db.prepare<[string], Row>(`SELECT ${columns} FROM enrolment_tokens WHERE id = ?`)
  const all = db.prepare<[number], Row>(
    `SELECT ${columns} FROM enrolment_tokens ORDER BY created_at DESC, id LIMIT ?`,
  )
  const forget = db.prepare(
    `DELETE FROM enrolment_tokens WHERE id NOT IN
       (SELECT id FROM enrolment_tokens ORDER BY created_at DESC, id LIMIT ${kept})
     AND (revoked_at IS NOT NULL OR expires_at < ? OR uses >= uses_allowed)`,
  )
  const revoke = db.prepare(
    'UPDATE enrolment_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL',
  )
  const use = db.prepare(
    `UPDATE enrolment_tokens SET uses = uses + 1
     WHERE id = ? AND uses < uses_allowed AND revoked_at IS NULL AND expires_at > ?`,
  )

  return {
    /** The one time that the token itself is known. */
    create(asked: NewToken, now: number): { readonly token: string; readonly made: Token } {
      const id = randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, '0').slice(-8)
      const secret = randomBytes(32).toString('base64url')
      const { note, expiresAt, usesAllowed, rejoin, profile, tags } = asked
      insert.run(
        ...[id, hashOf(secret), note, now, expiresAt, usesAllowed],
        ...[rejoin ? 1 : 0, profile, JSON.stringify(tags)],
      )
      forget.run(now)
      return { token: `hbt_${id}_${secret}`, made: toToken(find.get(id)!) }
    },
    /** The token that this text is; undefined for one that the hub never made. What it may still do, its fields say. */
    find(text: string): Token | undefined {
      const [, id = '', secret = ''] = shape.exec(text) ?? []
      const row = find.get(id)
      // Compared also when there is no such token, so that an answer takes the same time.
      const matches = timingSafeEqual(hashOf(secret), row?.secret ?? hashOf(`no ${secret}`))
      return row && matches ? toToken(row) : undefined
    },
    /** Takes one use. False when none is left: two servers that come at once do not share the last one. */
    use: (id: string, now: number): boolean => use.run(id, now).changes === 1,
    /** Newest first. */
    list: (): Token[] => all.all(kept).map(toToken),
    /** False when there is no such token or it is revoked already. */
    revoke: (id: string, now: number): boolean => revoke.run(now, id).changes === 1,
    get(id: string): Token | undefined {
      const row = find.get(id)
      return row && toToken(row)
    },
  }
}

/** The secret has 256 random bits: nothing is gained by hashing it slowly. */
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

const toToken = ({ secret: _secret, tags, rejoin, ...row }: Row): Token => ({
  ...row,
  rejoin: rejoin === 1,
  tags: JSON.parse(tags) as string[],
})
