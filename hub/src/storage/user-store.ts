import type { Role } from '@harbinger/shared/people-api'
import type { Database } from './database.ts'

export type StoredUser = {
  readonly id: number
  readonly name: string
  readonly role: Role
  /** argon2id in PHC form; null for who signs in at a provider. */
  readonly password: string | null
  readonly createdAt: number
  readonly createdBy: string
  readonly lastLoginAt: number | null
}

export type NewUser = {
  readonly name: string
  readonly role: Role
  readonly at: number
  readonly by: string
} & ({ readonly password: string } | { readonly issuer: string; readonly subject: string })

export type UserStore = ReturnType<typeof userStore>

const columns = `id, name, role, password, created_at AS createdAt, created_by AS createdBy,
  last_login_at AS lastLoginAt`

/** Names are one when they differ in case alone, or in how a letter is composed. */
const keyOf = (name: string): string => name.normalize('NFKC').toLowerCase()

/** Who may log in. A hub always keeps an admin with a password: nobody locks everybody out. */
export function userStore(db: Database) {
  const any = db.prepare<[], { found: number }>('SELECT EXISTS (SELECT 1 FROM users) AS found')
  const all = db.prepare<[], StoredUser>(`SELECT ${columns} FROM users ORDER BY key`)
  const byKey = db.prepare<[string], StoredUser>(`SELECT ${columns} FROM users WHERE key = ?`)
  const byId = db.prepare<[number], StoredUser>(`SELECT ${columns} FROM users WHERE id = ?`)
  const bySubject = db.prepare<[string, string], StoredUser>(
    `SELECT ${columns} FROM users WHERE issuer = ? AND subject = ?`,
  )
  const insert = db.prepare(
    `INSERT INTO users (name, key, role, password, issuer, subject, created_at, created_by)
     VALUES (@name, @key, @role, @password, @issuer, @subject, @at, @by) ON CONFLICT DO NOTHING`,
  )
  const otherAdmins = db.prepare<[number], { n: number }>(
    `SELECT count(*) AS n FROM users WHERE role = 'admin' AND password IS NOT NULL AND id <> ?`,
  )
  const setRole = db.prepare('UPDATE users SET role = ? WHERE id = ?')
  const setPassword = db.prepare(
    'UPDATE users SET password = ? WHERE id = ? AND password IS NOT NULL',
  )
  const setLogin = db.prepare('UPDATE users SET last_login_at = ? WHERE id = ?')
  const remove = db.prepare('DELETE FROM users WHERE id = ?')

  const exist = (): boolean => any.get()!.found === 1
  const isLastAdmin = ({ id, role, password }: StoredUser): boolean =>
    role === 'admin' && password !== null && otherAdmins.get(id)!.n === 0

  function add(user: NewUser): StoredUser | undefined {
    const row = { password: null, issuer: null, subject: null, ...user, key: keyOf(user.name) }
    return insert.run(row).changes === 1 ? byKey.get(row.key) : undefined
  }

  return {
    exist,
    all: (): StoredUser[] => all.all(),
    find: (name: string): StoredUser | undefined => byKey.get(keyOf(name)),
    get: (id: number): StoredUser | undefined => byId.get(id),
    ofProvider: (issuer: string, subject: string): StoredUser | undefined =>
      bySubject.get(issuer, subject),
    /** Undefined: the name is taken. */
    add,
    /** Only into a hub without users. Two that set it up at once, even from two processes: one wins. */
    addFirst: db.transaction((user: NewUser): StoredUser | undefined =>
      exist() ? undefined : add(user),
    ).immediate,
    isLastAdmin,
    setRole: (id: number, role: Role): boolean => setRole.run(role, id).changes === 1,
    setPassword: (id: number, password: string): boolean =>
      setPassword.run(password, id).changes === 1,
    loggedIn: (id: number, at: number): void => void setLogin.run(at, id),
    remove: (id: number): boolean => remove.run(id).changes === 1,
    /** Looks and changes with nobody in between. */
    inOne: <Answer>(work: () => Answer): Answer => db.transaction(work).immediate(),
  }
}
