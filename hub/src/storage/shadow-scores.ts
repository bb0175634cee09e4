import { readBody } from './forecast-log-body.ts'
import type { Database } from './database.ts'

/** Two forecasts of one server from one window, and what came: part, metric by metric. */
export type ShadowPair = {
  readonly serverId: number
  readonly part: number
  /** Per network metric; NaN where not known. */
  readonly truth: Float32Array
  /** [5 leads][3 levels] per network metric; undefined where there was no forecast. */
  readonly shadow: readonly (Float32Array | undefined)[]
  readonly served: readonly (Float32Array | undefined)[]
}

type Row = { part: number; truth: Buffer; shadow: Buffer; served: Buffer }

/** What a challenger would have said beside what was said, of one server, since an instant (ms). */
export function shadowScores(db: Database) {
  const pairs = db.prepare<[number, number, string], Row>(
    `SELECT s.part AS part, s.truth AS truth, l.body AS shadow, o.body AS served
     FROM forecast_log l
     JOIN forecast_log o ON o.server_id = l.server_id AND o.window_end = l.window_end AND o.served = 1
     JOIN forecast_scores s ON s.log_id = l.id AND s.part < 5
     WHERE l.server_id = ? AND l.window_end >= ? AND l.served = 0 AND l.model = ? LIMIT 2000`,
  )
  const firstOf = db.prepare<[string], number | null>(
    'SELECT min(window_end) FROM forecast_log WHERE served = 0 AND model = ?',
  )
  firstOf.pluck()
  const steps = (body: Buffer) => readBody(body, () => '').map((metric) => metric?.steps)

  return {
    of: (serverId: number, from: number, model: string): ShadowPair[] =>
      pairs.all(serverId, from, model).map(({ part, truth, shadow, served }) => ({
        ...{ serverId, part, shadow: steps(shadow), served: steps(served) },
        truth: new Float32Array(Uint8Array.from(truth).buffer),
      })),
    /** When the first forecast of this challenger was logged (ms). */
    firstOf: (model: string): number | null => firstOf.get(model) ?? null,
  }
}
