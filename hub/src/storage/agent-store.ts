import { serverKey } from '@harbinger/shared/server'
import type { Database } from './database.ts'

/** An agent that has a certificate of this hub. */
export type EnrolledAgent = {
  readonly server: string
  /** Every certificate names the enrolment it comes from: those of an earlier one are worth nothing. */
  readonly enrolment: string
  readonly keySha256: string
  /** Id of the token it joined with. */
  readonly token: string
  /** ms */
  readonly enrolledAt: number
  readonly renewedAt: number | null
  readonly certificateUntil: number
  readonly revokedAt: number | null
  /** An admin lets this server join once more. */
  readonly rejoin: boolean
}

type Row = Omit<EnrolledAgent, 'rejoin'> & { readonly key: string; readonly rejoin: number }

export type AgentStore = ReturnType<typeof agentStore>

/** Which agents may speak. All of them are in memory: every connection and every change asks. */
export function agentStore(db: Database) {
  const columns = `key, name AS server, enrolment, key_sha256 AS keySha256, token, enrolled_at AS enrolledAt,
     renewed_at AS renewedAt, certificate_until AS certificateUntil, revoked_at AS revokedAt, rejoin`
  const all = db.prepare<[], Row>(`SELECT ${columns} FROM agents ORDER BY key`)
  const one = db.prepare<[string], Row>(`SELECT ${columns} FROM agents WHERE key = ?`)
  const enrol = db.prepare(
    `INSERT INTO agents (key, name, enrolment, key_sha256, token, enrolled_at, certificate_until)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET name = excluded.name, enrolment = excluded.enrolment,
       key_sha256 = excluded.key_sha256, token = excluded.token, enrolled_at = excluded.enrolled_at,
       certificate_until = excluded.certificate_until, renewed_at = NULL, revoked_at = NULL, rejoin = 0`,
  )
  const renew = db.prepare(
    'UPDATE agents SET renewed_at = ?, certificate_until = ?, key_sha256 = ? WHERE key = ?',
  )
  const revoke = db.prepare(
    'UPDATE agents SET revoked_at = ?, rejoin = 0 WHERE key = ? AND revoked_at IS NULL',
  )
  const allow = db.prepare('UPDATE agents SET rejoin = 1 WHERE key = ?')
  const version = (): unknown => db.pragma('data_version', { simple: true })
  const known = new Map<string, EnrolledAgent>()
  let seen = version()
  const load = (): void => {
    known.clear()
    for (const row of all.all()) known.set(row.key, toAgent(row))
  }
  load()

  /** Whether a statement changed this agent; what is in memory follows. */
  function changed(server: string, { changes }: { readonly changes: number }): boolean {
    const row = one.get(serverKey(server))
    if (row) known.set(row.key, toAgent(row))
    return changes === 1
  }

  return {
    find: (server: string): EnrolledAgent | undefined => known.get(serverKey(server)),
    list: (): readonly EnrolledAgent[] => [...known.values()],
    /** A server's first enrolment, or a new one in place of the old. */
    enrol(agent: Omit<EnrolledAgent, 'renewedAt' | 'revokedAt' | 'rejoin'>): void {
      const { server, enrolment, keySha256, token, enrolledAt, certificateUntil } = agent
      const named = [serverKey(server), server, enrolment, keySha256, token]
      changed(server, enrol.run(...named, enrolledAt, certificateUntil))
    },
    renew(
      server: string,
      { at, until, keySha256 }: { at: number; until: number; keySha256: string },
    ) {
      changed(server, renew.run(at, until, keySha256, serverKey(server)))
    },
    /** False when there is no such agent or it is revoked already. */
    revoke: (server: string, at: number): boolean =>
      changed(server, revoke.run(at, serverKey(server))),
    allowRejoin: (server: string): boolean => changed(server, allow.run(serverKey(server))),
    /** Sees what the command line has written; true when something was. */
    refresh(): boolean {
      const now = version()
      if (now === seen) return false
      seen = now
      load()
      return true
    },
  }
}

const toAgent = ({ key: _key, rejoin, ...row }: Row): EnrolledAgent => ({
  ...row,
  rejoin: rejoin === 1,
})
