import type { Database } from './database.ts'

export type ConflictStore<Conflict> = ReturnType<typeof conflictStore<Conflict>>

/** Two agents of one name, so that a hub that is started anew knows which one was there first. */
export function conflictStore<Conflict>(db: Database) {
  const all = db.prepare<[], { key: string; body: string }>('SELECT key, body FROM name_conflicts')
  const keep = db.prepare(
    `INSERT INTO name_conflicts (key, body) VALUES (?, ?)
     ON CONFLICT (key) DO UPDATE SET body = excluded.body`,
  )
  const forget = db.prepare('DELETE FROM name_conflicts WHERE key = ?')

  return {
    open: (): ReadonlyMap<string, Conflict> =>
      new Map(all.all().map(({ key, body }) => [key, JSON.parse(body) as Conflict])),
    /** Undefined: it is over. */
    keep(key: string, conflict: Conflict | undefined): void {
      if (conflict === undefined) forget.run(key)
      else keep.run(key, JSON.stringify(conflict))
    },
  }
}
