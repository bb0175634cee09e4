import type { Scope } from '@harbinger/shared/people-api'
import type { Database } from './database.ts'

export type StoredSession = {
  readonly userId: number
  readonly createdAt: number
  readonly seenAt: number
}

export type StoredToken = {
  readonly id: number
  readonly name: string
  readonly scope: Scope
  readonly userId: number | null
  readonly createdAt: number
  readonly createdBy: string
  readonly expiresAt: number
  readonly lastUsedAt: number | null
}

export type SessionStore = ReturnType<typeof sessionStore>
export type ApiTokenStore = ReturnType<typeof apiTokenStore>

/** A person is logged in at no more places than this; the one longest unused is logged out. */
const sessionsPerUser = 50

/** Where people are logged in; what their browsers hold is not kept, only its hash. */
export function sessionStore(db: Database) {
  const insert = db.prepare(
    'INSERT INTO user_sessions (hash, user_id, created_at, seen_at) VALUES (?, ?, ?, ?)',
  )
  const trim = db.prepare(
    `DELETE FROM user_sessions WHERE user_id = @userId AND hash NOT IN (SELECT hash FROM user_sessions
       WHERE user_id = @userId ORDER BY seen_at DESC LIMIT ${sessionsPerUser})`,
  )
  const get = db.prepare<[Buffer], StoredSession>(
    `SELECT user_id AS userId, created_at AS createdAt, seen_at AS seenAt FROM user_sessions WHERE hash = ?`,
  )
  const touch = db.prepare('UPDATE user_sessions SET seen_at = ? WHERE hash = ?')
  const remove = db.prepare('DELETE FROM user_sessions WHERE hash = ?')
  const removeAll = db.prepare('DELETE FROM user_sessions WHERE user_id = ? AND hash <> ?')
  const forget = db.prepare('DELETE FROM user_sessions WHERE seen_at < ? OR created_at < ?')
  const count = db.prepare<[number], { n: number }>(
    'SELECT count(*) AS n FROM user_sessions WHERE user_id = ?',
  )

  return {
    begin(hash: Buffer, userId: number, at: number): void {
      insert.run(hash, userId, at, at)
      trim.run({ userId })
    },
    get: (hash: Buffer): StoredSession | undefined => get.get(hash),
    seen: (hash: Buffer, at: number): void => void touch.run(at, hash),
    end: (hash: Buffer): boolean => remove.run(hash).changes === 1,
    /** All of a person, but for the one given. */
    endAll: (userId: number, except: Buffer = Buffer.alloc(0)): number =>
      removeAll.run(userId, except).changes,
    countOf: (userId: number): number => count.get(userId)!.n,
    /** Those last used, or begun, before. */
    forgetBefore: (seenAt: number, createdAt: number): number =>
      forget.run(seenAt, createdAt).changes,
  }
}

const tokenColumns = `id, name, scope, user_id AS userId, created_at AS createdAt, created_by AS createdBy,
  expires_at AS expiresAt, last_used_at AS lastUsedAt`

/** What programs may ask with; the token itself is not kept, only its hash. */
export function apiTokenStore(db: Database) {
  const insert = db.prepare(
    `INSERT INTO api_tokens (name, hash, scope, user_id, created_at, created_by, expires_at)
     VALUES (@name, @hash, @scope, @userId, @createdAt, @createdBy, @expiresAt)`,
  )
  const all = db.prepare<[], StoredToken>(`SELECT ${tokenColumns} FROM api_tokens ORDER BY id`)
  const byHash = db.prepare<[Buffer], StoredToken>(
    `SELECT ${tokenColumns} FROM api_tokens WHERE hash = ?`,
  )
  const byId = db.prepare<[number], StoredToken>(
    `SELECT ${tokenColumns} FROM api_tokens WHERE id = ?`,
  )
  const used = db.prepare('UPDATE api_tokens SET last_used_at = ? WHERE id = ?')
  const remove = db.prepare('DELETE FROM api_tokens WHERE id = ?')
  const forget = db.prepare('DELETE FROM api_tokens WHERE expires_at < ?')

  return {
    add(token: Omit<StoredToken, 'id' | 'lastUsedAt'> & { readonly hash: Buffer }): StoredToken {
      return byId.get(Number(insert.run(token).lastInsertRowid))!
    },
    all: (): StoredToken[] => all.all(),
    get: (id: number): StoredToken | undefined => byId.get(id),
    find: (hash: Buffer): StoredToken | undefined => byHash.get(hash),
    used: (id: number, at: number): void => void used.run(at, id),
    revoke: (id: number): boolean => remove.run(id).changes === 1,
    forgetExpiredBefore: (at: number): number => forget.run(at).changes,
  }
}
