import type { Database } from './database.ts'

/** How many of a server's refused messages can be looked at. */
export const lastKept = 20

export type Quarantined = { readonly at: number; readonly reason: string; readonly detail: string }

export type QuarantineStore = ReturnType<typeof quarantineStore>

/** What was refused, from whom and why: counted for ever, the last ones with their detail. */
export function quarantineStore(db: Database) {
  const count = db.prepare(
    `INSERT INTO quarantine_counts (server_id, reason, count) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  )
  const keep = db.prepare(
    'INSERT INTO quarantine_last (server_id, at, reason, detail) VALUES (?, ?, ?, ?)',
  )
  const trim = db.prepare(
    `DELETE FROM quarantine_last WHERE server_id = ? AND id <= (
       SELECT id FROM quarantine_last WHERE server_id = ? ORDER BY id DESC LIMIT 1 OFFSET ${lastKept})`,
  )
  const counts = db.prepare<[number], { reason: string; count: number }>(
    'SELECT reason, count FROM quarantine_counts WHERE server_id = ?',
  )
  const last = db.prepare<[number], Quarantined>(
    'SELECT at, reason, detail FROM quarantine_last WHERE server_id = ? ORDER BY id DESC',
  )

  return {
    count: (serverId: number, reason: string, n: number): void =>
      void count.run(serverId, reason, n),
    keep(serverId: number, { at, reason, detail }: Quarantined): void {
      keep.run(serverId, at, reason, detail.slice(0, 300))
      trim.run(serverId, serverId)
    },
    counts: (serverId: number): Record<string, number> =>
      Object.fromEntries(counts.all(serverId).map(({ reason, count }) => [reason, count])),
    last: (serverId: number): readonly Quarantined[] => last.all(serverId),
  }
}
