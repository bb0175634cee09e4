import type { Database } from './database.ts'

export type Outcome = 'done' | 'refused' | 'failed'

export type AuditRow = {
  readonly id: number
  /** ms */
  readonly at: number
  readonly who: string
  readonly address: string
  readonly action: string
  readonly target: string
  readonly outcome: Outcome
  readonly detail: string
}

export type AuditLimits = {
  readonly days: number
  /** Rows at most; refusals, which strangers can cause, are counted apart and push nothing else out. */
  readonly rows: number
  readonly refusedRows: number
}

export type AuditStore = ReturnType<typeof auditStore>

const dayMs = 86_400_000
const short = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`

/** Who did what, when and from where; only ever added to, until it is older than it is kept. */
export function auditStore(db: Database) {
  const insert = db.prepare(
    `INSERT INTO audit_log (at, who, address, action, target, outcome, detail)
     VALUES (@at, @who, @address, @action, @target, @outcome, @detail)`,
  )
  const select = db.prepare<object, AuditRow>(
    `SELECT * FROM audit_log WHERE id < @before AND (@who IS NULL OR who = @who)
       AND (@outcome IS NULL OR outcome = @outcome) ORDER BY id DESC LIMIT @limit`,
  )
  const firstSince = db.prepare<[number], { id: number | null }>(
    'SELECT min(id) AS id FROM audit_log WHERE at >= ?',
  )
  const newest = db.prepare<[], { id: number | null }>('SELECT max(id) AS id FROM audit_log')
  const nth = db.prepare<[number], { id: number }>(
    `SELECT id FROM audit_log WHERE outcome <> 'refused' ORDER BY id DESC LIMIT 1 OFFSET ?`,
  )
  const nthRefused = db.prepare<[number], { id: number }>(
    `SELECT id FROM audit_log WHERE outcome = 'refused' ORDER BY id DESC LIMIT 1 OFFSET ?`,
  )
  const raise = db.prepare(
    `UPDATE audit_bounds SET keep_from = max(keep_from, ?), keep_refused_from = max(keep_refused_from, ?)`,
  )
  const removeOld = db.prepare(
    'DELETE FROM audit_log WHERE id < (SELECT keep_from FROM audit_bounds)',
  )
  const removeRefused = db.prepare(
    `DELETE FROM audit_log WHERE outcome = 'refused' AND id < (SELECT keep_refused_from FROM audit_bounds)`,
  )

  return {
    add(row: Omit<AuditRow, 'id'>): void {
      insert.run({
        ...row,
        ...{ who: short(row.who, 100), address: short(row.address, 100) },
        ...{ action: short(row.action, 100), target: short(row.target, 200) },
        detail: short(row.detail, 500),
      })
    },
    /** Newest first, those before `before`. */
    page({
      before = Number.MAX_SAFE_INTEGER,
      who = null,
      outcome = null,
      limit,
    }: {
      readonly before?: number | undefined
      readonly who?: string | null | undefined
      readonly outcome?: Outcome | null | undefined
      readonly limit: number
    }): AuditRow[] {
      return select.all({ before, who, outcome, limit })
    },
    /** Lets go of what is older, or more, than is kept; returns how many rows went. */
    forget: db.transaction((now: number, { days, rows, refusedRows }: AuditLimits): number => {
      const old = firstSince.get(now - days * dayMs)!.id ?? (newest.get()!.id ?? 0) + 1
      raise.run(Math.max(old, nth.get(rows - 1)?.id ?? 0), nthRefused.get(refusedRows - 1)?.id ?? 0)
      return removeOld.run().changes + removeRefused.run().changes
    }),
  }
}
