import type { Drift } from '@harbinger/shared/accuracy'
import type { Database } from './database.ts'

/** One drift, from when it was found to when it was over. */
export type Episode = {
  readonly id: number
  readonly signal: Drift['signal']
  readonly metric: Drift['metric']
  /** Which group of servers; null is all. */
  readonly group: string | null
  readonly beganAt: number
  readonly endedAt: number | null
  readonly detail: string
  readonly fallsBack: boolean
}

/** How long episodes and what the tests compare with are kept. */
const keptMs = 30 * 86_400_000

type Row = {
  id: number
  signal: string
  metric: string
  profile: string
  began_at: number
  ended_at: number | null
  detail: string
}

const quarterMs = 15 * 60_000

export type DriftStore = ReturnType<typeof driftStore>

/** When something drifted, and what the fleet's feed looked like every quarter of an hour. */
export function driftStore(db: Database) {
  const insert = db.prepare(
    'INSERT INTO drift_episodes (signal, metric, profile, began_at, ended_at, detail) VALUES (?, ?, ?, ?, NULL, ?)',
  )
  const end = db.prepare('UPDATE drift_episodes SET ended_at = ? WHERE id = ?')
  const episodes = db.prepare<[number], Row>(
    'SELECT * FROM drift_episodes WHERE ended_at IS NULL OR ended_at >= ? ORDER BY id',
  )
  const forget = db.prepare('DELETE FROM drift_episodes WHERE ended_at < ?')
  const put = db.prepare('INSERT OR REPLACE INTO drift_history (at, body) VALUES (?, ?)')
  const history = db.prepare<[number], { at: number; body: string }>(
    'SELECT at, body FROM drift_history WHERE at >= ? ORDER BY at',
  )
  const forgetHistory = db.prepare('DELETE FROM drift_history WHERE at < ?')

  return {
    begin(episode: Omit<Episode, 'id' | 'endedAt'>): Episode {
      const { signal, metric, group, beganAt, detail, fallsBack } = episode
      const text = JSON.stringify({ group, detail, fallsBack })
      const { lastInsertRowid } = insert.run(signal, metric, group ?? '', beganAt, text)
      return { ...episode, id: Number(lastInsertRowid), endedAt: null }
    },
    end: (id: number, at: number): void => void end.run(at, id),
    episodes: (now: number): Episode[] =>
      episodes.all(now - keptMs).map((row) => ({
        id: row.id,
        signal: row.signal as Episode['signal'],
        metric: row.metric as Episode['metric'],
        beganAt: row.began_at,
        endedAt: row.ended_at,
        ...(JSON.parse(row.detail) as Pick<Episode, 'group' | 'detail' | 'fallsBack'>),
      })),
    /** What the feed looked like in a quarter of an hour, by its number since the epoch. */
    putHistory: (quarter: number, body: string): void => void put.run(quarter, body),
    /** From an instant on (ms), by number of the quarter of an hour, oldest first. */
    history: (from: number) => history.all(Math.floor(from / quarterMs)),
    forgetBefore(now: number): void {
      forget.run(now - keptMs)
      forgetHistory.run(Math.floor((now - keptMs) / quarterMs))
    },
  }
}
