import type { RuleKind, RuleTarget } from '@harbinger/shared/intervals-api'
import { serverKey } from '@harbinger/shared/server'
import type { Database } from './database.ts'

/** At what interval a server, the servers of a tag, or those of a profile are to sample. */
export type KeptRule = {
  readonly kind: RuleKind
  readonly target: string
  readonly seconds: number
  /** ms */
  readonly setAt: number
  readonly setBy: string
}

export type IntervalRuleStore = ReturnType<typeof intervalRuleStore>

/** Names of servers are one whatever their case. */
export const ruleKey = ({ kind, target }: RuleTarget): string =>
  `${kind} ${kind === 'server' ? serverKey(target) : target}`

/** The rules for intervals. All of them are in memory: every message of a server asks. */
export function intervalRuleStore(db: Database) {
  const all = db.prepare<[], KeptRule>(
    'SELECT kind, target, seconds, set_at AS setAt, set_by AS setBy FROM interval_rules ORDER BY kind, key',
  )
  const put = db.prepare(
    `INSERT INTO interval_rules (key, kind, target, seconds, set_at, set_by) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET target = excluded.target, seconds = excluded.seconds,
       set_at = excluded.set_at, set_by = excluded.set_by`,
  )
  const remove = db.prepare('DELETE FROM interval_rules WHERE key = ?')
  const version = (): unknown => db.pragma('data_version', { simple: true })
  let rules: ReadonlyMap<string, KeptRule> = new Map()
  let seen = version()
  const load = (): void => {
    rules = new Map(all.all().map((rule) => [ruleKey(rule), rule]))
  }
  load()

  return {
    /** By their keys. A new map after each change. */
    rules: (): ReadonlyMap<string, KeptRule> => rules,
    put(rule: KeptRule): void {
      const { kind, target, seconds, setAt, setBy } = rule
      put.run(ruleKey(rule), kind, target, seconds, setAt, setBy)
      load()
    },
    /** The rule that was there; undefined when none was. */
    remove(target: RuleTarget): KeptRule | undefined {
      const removed = rules.get(ruleKey(target))
      remove.run(ruleKey(target))
      load()
      return removed
    },
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
