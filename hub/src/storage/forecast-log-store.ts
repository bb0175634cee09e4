import { isProfile, type Profile } from '@harbinger/shared/profiles'
import type { Database } from './database.ts'
import { type LoggedMetrics, readBody, toBody } from './forecast-log-body.ts'

/** How long a forecast stays in the log. Storage refuses to let go of the last 7 days. */
export const logDays = 14

/** One forecast as it was issued; never changed afterwards. */
export type LoggedForecast = {
  readonly serverId: number
  /** Logged steps count from here (ms). */
  readonly windowEnd: number
  readonly issuedAt: number
  /** False for a challenger, whose forecasts nobody saw. */
  readonly served: boolean
  /** The model that was at work; null while only baselines were. */
  readonly model: string | null
  readonly profile: Profile
  readonly metrics: LoggedMetrics
}
export type LogRow = LoggedForecast & { readonly id: number }

/** What was measured where one part of one forecast pointed at. */
export type Score = {
  readonly logId: number
  /** 0 … 4: the logged leads; 5 … 7: the peaks of 1, 4 and 8 h. */
  readonly part: number
  /** 1 when nothing more is waited for: what is NaN here stays unknown. */
  readonly final: 0 | 1
  /** When the round of scoring was due (ms). */
  readonly scoredAt: number
  /** Per network metric; NaN where not known (yet), Infinity where the first score of this part had it already. */
  readonly truth: Float32Array
}

type Row = {
  id: number
  server_id: number
  window_end: number
  issued_at: number
  served: number
  model: string
  profile: string
  body: Buffer
}
type ScoreRow = { log_id: number; part: number; final: 0 | 1; scored_at: number; truth: Buffer }

export type ForecastLogStore = ReturnType<typeof forecastLogStore>

/** The forecasts that were issued, a sample of them, and what came; both only ever added to. */
export function forecastLogStore(db: Database) {
  const sources = sourceTable(db)
  const insert = db.prepare(
    `INSERT INTO forecast_log (server_id, window_end, issued_at, served, model, profile, body)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  const insertScore = db.prepare(
    'INSERT INTO forecast_scores (log_id, part, final, scored_at, truth) VALUES (?, ?, ?, ?, ?)',
  )
  const ofServer = db.prepare<[number, number], Row & { done: string | null }>(
    `SELECT l.*, (SELECT group_concat(part || ':' || final) FROM forecast_scores WHERE log_id = l.id) AS done
     FROM forecast_log l WHERE server_id = ? AND window_end >= ? ORDER BY id`,
  )
  const scoresOf = db.prepare<[number], ScoreRow>(
    'SELECT * FROM forecast_scores WHERE log_id = ? ORDER BY part, final',
  )
  const rounds = db
    .prepare<[number, number], number>(
      'SELECT DISTINCT scored_at FROM forecast_scores WHERE scored_at >= ? AND scored_at < ? ORDER BY scored_at',
    )
    .pluck()
  const ofRound = db.prepare<[number], ScoreRow & Row>(
    `SELECT s.*, l.* FROM forecast_scores s JOIN forecast_log l ON l.id = s.log_id
     WHERE scored_at = ? ORDER BY scored_at, log_id, part, final`,
  )
  const bounds = db.prepare<[], { keep_from: number; scored_to: number }>(
    'SELECT keep_from, scored_to FROM forecast_log_bounds',
  )
  // By id, which is in order of time: the index on time begins with the server.
  const newest = db
    .prepare<[], number>('SELECT window_end FROM forecast_log ORDER BY id DESC LIMIT 1')
    .pluck()
  const oldest = db.prepare<[number], { id: number; window_end: number }>(
    'SELECT id, window_end FROM forecast_log ORDER BY id LIMIT ?',
  )
  const keepFrom = db.prepare('UPDATE forecast_log_bounds SET keep_from = ?')
  const scoredTo = db.prepare('UPDATE forecast_log_bounds SET scored_to = ?')
  const remove = db.prepare('DELETE FROM forecast_log WHERE id = ?')
  const removeScores = db.prepare('DELETE FROM forecast_scores WHERE log_id = ?')
  const putHour = db.prepare('INSERT OR REPLACE INTO accuracy_hours (hour, sums) VALUES (?, ?)')
  const hours = db.prepare<[number], { hour: number; sums: string }>(
    'SELECT hour, sums FROM accuracy_hours WHERE hour >= ? ORDER BY hour',
  )
  const putCalibrator = db.prepare(
    'INSERT OR REPLACE INTO calibrators (model, state) VALUES (?, ?)',
  )
  const calibrator = db
    .prepare<[string], string>('SELECT state FROM calibrators WHERE model = ?')
    .pluck()
  const removeHours = db.prepare('DELETE FROM accuracy_hours WHERE hour < ?')

  const toRow = (row: Row): LogRow => ({
    id: row.id,
    serverId: row.server_id,
    windowEnd: row.window_end,
    issuedAt: row.issued_at,
    served: row.served === 1,
    model: row.model || null,
    profile: isProfile(row.profile) ? row.profile : 'generic',
    metrics: readBody(row.body, sources.name),
  })

  return {
    /** Adding a forecast twice is adding it once. */
    add({ serverId, windowEnd, issuedAt, served, model, profile, metrics }: LoggedForecast): void {
      const body = toBody(metrics, sources.id)
      insert.run(serverId, windowEnd, issuedAt, Number(served), model ?? '', profile, body)
    },
    addScore({ logId, part, final, scoredAt, truth }: Score): void {
      const bytes = new Uint8Array(truth.buffer, truth.byteOffset, truth.byteLength)
      insertScore.run(logId, part, final, scoredAt, bytes)
    },
    /**
     * What was issued for a server since `from`, oldest first, each with the `part:final` scores it has. The body is
     * read only when asked for.
     */
    *ofServer(serverId: number, from: number) {
      for (const row of ofServer.all(serverId, from)) {
        const done = new Set(row.done?.split(',') ?? [])
        yield { id: row.id, windowEnd: row.window_end, done, read: () => toRow(row) }
      }
    },
    scoresOf: (logId: number): Score[] => scoresOf.all(logId).map(toScore),
    /** Scores of rounds due from `from` to before `to`, in the order they are summed in, with what was forecast. */
    *scoresInOrder(from: number, to: number): Generator<{ score: Score; row: LogRow }> {
      // A round at a time: while a statement is being read, nothing can be written.
      for (const at of rounds.all(from, to)) {
        let row: LogRow | undefined
        for (const found of ofRound.all(at)) {
          if (row?.id !== found.log_id) row = toRow(found)
          yield { score: toScore(found), row }
        }
      }
    },
    /** The last round of scoring that is whole (ms); 0 before the first. */
    scoredTo: (): number => bounds.get()!.scored_to,
    setScoredTo: (at: number): void => void scoredTo.run(at),
    /** The end of the oldest window that is kept; undefined of an empty log. */
    first: (): number | undefined => oldest.get(1)?.window_end,

    putHour: (hour: number, sums: string): void => void putHour.run(hour, sums),
    hours: (from: number) => hours.all(from),

    /** What was learnt from scores for a model, as text; undefined before anything was. */
    calibrator: (model: string): string | undefined => calibrator.get(model),
    putCalibrator: (model: string, state: string): void => void putCalibrator.run(model, state),

    /** Lets go of at most `most` forecasts that are older than the log keeps; returns how many went. */
    forgetBefore(at: number, most: number): number {
      const limit = Math.min(at, (newest.get() ?? 0) - 7 * 86_400_000)
      if (limit > bounds.get()!.keep_from) keepFrom.run(limit)
      const ids = oldest.all(most).filter((row) => row.window_end < limit)
      db.transaction(() => {
        for (const { id } of ids) {
          remove.run(id)
          removeScores.run(id)
        }
        removeHours.run(Math.floor(limit / 3_600_000))
      })()
      return ids.length
    },
  }
}

const toScore = ({ log_id, part, final, scored_at, truth }: ScoreRow): Score => ({
  logId: log_id,
  part,
  final,
  scoredAt: scored_at,
  truth: new Float32Array(Uint8Array.from(truth).buffer),
})

/** Names of sources are a few; a number for each keeps 30 bytes out of every forecast. */
function sourceTable(db: Database) {
  const all = db.prepare<[], { id: number; source: string }>(
    'SELECT id, source FROM forecast_sources',
  )
  const insert = db.prepare(
    'INSERT INTO forecast_sources (source) VALUES (?) ON CONFLICT DO NOTHING',
  )
  const ids = new Map<string, number>()
  const names = new Map<number, string>()
  const load = (): void => {
    for (const { id, source } of all.all()) {
      ids.set(source, id)
      names.set(id, source)
    }
  }
  return {
    id(source: string): number {
      if (!ids.has(source)) {
        insert.run(source)
        load()
      }
      return ids.get(source)!
    },
    name(id: number): string {
      if (!names.has(id)) load()
      return names.get(id) ?? 'baseline:unknown'
    },
  }
}
