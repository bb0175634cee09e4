import type { Database } from './database.ts'

/** What can be decided of a model. `served` is one of them: which of the models forecasts from then on. */
export type DecisionKind =
  | 'began'
  | 'trained'
  | 'imported'
  | 'judged'
  | 'promoted'
  | 'rolled back'
  | 'not promoted'
  | 'refused'
  | 'removed'

export type DecidedBy = 'operator' | 'schedule' | 'drift' | 'hub'

export type Decision = {
  readonly id: number
  /** ms */
  readonly at: number
  readonly model: string
  readonly kind: DecisionKind
  readonly by: DecidedBy
  readonly reason: string
  /** What it was decided by, as JSON allows. */
  readonly body: unknown
}

type Row = Omit<Decision, 'body'> & { readonly body: string }

/** After one of these the model named serves. */
const serving: readonly DecisionKind[] = ['began', 'promoted', 'rolled back']

export type ModelStore = ReturnType<typeof modelStore>

/** Every decision on a model with its reason; only ever added to. */
export function modelStore(db: Database) {
  const insert = db.prepare(
    'INSERT INTO model_decisions (at, model, kind, by, reason, body) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const newest = db.prepare<[number], Row>('SELECT * FROM model_decisions ORDER BY id DESC LIMIT ?')
  const ofModel = db.prepare<[string], Row>(
    'SELECT * FROM model_decisions WHERE model = ? ORDER BY id DESC LIMIT 100',
  )
  const servings = db.prepare<[], Row>(
    `SELECT * FROM model_decisions WHERE kind IN ('began', 'promoted', 'rolled back') ORDER BY id DESC LIMIT 500`,
  )

  return {
    add(decision: Omit<Decision, 'id'>): void {
      const { at, model, kind, by, reason, body } = decision
      insert.run(at, model, kind, by, reason, JSON.stringify(body ?? null))
    },
    /** Newest first. */
    newest: (count: number): Decision[] => newest.all(count).map(toDecision),
    ofModel: (model: string): Decision[] => ofModel.all(model).map(toDecision),
    /** Decisions that put a model into service, newest first: the first one says which serves. */
    servings: (): Decision[] => servings.all().map(toDecision),
  }
}

export const putsIntoService = ({ kind }: Pick<Decision, 'kind'>): boolean => serving.includes(kind)

const toDecision = (row: Row): Decision => ({ ...row, body: JSON.parse(row.body) as unknown })
