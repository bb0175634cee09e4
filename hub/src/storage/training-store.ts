import type { Database } from './database.ts'

export type TrainingReason = 'operator' | 'schedule' | 'drift'
export type TrainingState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'

/** One training as it is kept: what was asked for, and what came of it. */
export type TrainingRow = {
  readonly id: number
  readonly requestedAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
  readonly reason: TrainingReason
  /** Why, in words. */
  readonly detail: string
  readonly state: TrainingState
  readonly job: unknown
  readonly result: unknown
}

type Row = {
  id: number
  requested_at: number
  started_at: number | null
  ended_at: number | null
  reason: string
  detail: string
  state: string
  job: string
  result: string
}

/** Trainings that are kept; older ones are forgotten. */
const mostKept = 100

export type TrainingStore = ReturnType<typeof trainingStore>

/** The trainings of this hub, the newest hundred. */
export function trainingStore(db: Database) {
  const insert = db.prepare(
    `INSERT INTO trainings (requested_at, reason, detail, state, job, result) VALUES (?, ?, ?, 'waiting', ?, 'null')`,
  )
  const update = db.prepare(
    'UPDATE trainings SET started_at = ?, ended_at = ?, state = ?, job = ?, result = ?, detail = ? WHERE id = ?',
  )
  const newest = db.prepare<[], Row>(`SELECT * FROM trainings ORDER BY id DESC LIMIT ${mostKept}`)
  const one = db.prepare<[number], Row>('SELECT * FROM trainings WHERE id = ?')
  const forget = db.prepare('DELETE FROM trainings WHERE id <= ?')

  const find = (id: number): TrainingRow | undefined => {
    const row = one.get(id)
    return row && toTraining(row)
  }

  return {
    add(training: Pick<TrainingRow, 'requestedAt' | 'reason' | 'detail' | 'job'>): TrainingRow {
      const { requestedAt, reason, detail, job } = training
      const { lastInsertRowid } = insert.run(requestedAt, reason, detail, JSON.stringify(job))
      forget.run(Number(lastInsertRowid) - mostKept)
      return find(Number(lastInsertRowid))!
    },
    update(id: number, change: Partial<Omit<TrainingRow, 'id'>>): TrainingRow {
      const next = { ...find(id)!, ...change }
      const { startedAt, endedAt, state, job, result, detail } = next
      const [asked, came] = [JSON.stringify(job), JSON.stringify(result ?? null)]
      update.run(startedAt, endedAt, state, asked, came, detail, id)
      return next
    },
    find,
    /** Newest first. */
    all: (): TrainingRow[] => newest.all().map(toTraining),
  }
}

const toTraining = (row: Row): TrainingRow => ({
  id: row.id,
  requestedAt: row.requested_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  reason: row.reason as TrainingReason,
  detail: row.detail,
  state: row.state as TrainingState,
  job: JSON.parse(row.job) as unknown,
  result: JSON.parse(row.result) as unknown,
})
