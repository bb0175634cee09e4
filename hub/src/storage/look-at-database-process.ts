import BetterSqlite3 from 'better-sqlite3'
import type { DatabaseFacts } from './look-at-database.ts'

/**
 * A process that looks at a database and changes nothing in it. Prints the facts as one line of JSON, then a line for
 * each table that was checked. In a process of its own because SQLite checks a table in one go, and whoever asked may
 * have no time for that.
 */
const [file = ''] = process.argv.slice(2)
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

const db = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 2_000 })
const number = (sql: string): number | null => {
  try {
    return (db.prepare(sql).pluck().get() as number | null) ?? null
  } catch (error) {
    // A database of another version lacks the table; one that is damaged must not pass for that.
    if (/no such (table|column)/.test((error as Error).message)) return null
    throw error
  }
}

try {
  say({
    format: db.pragma('user_version', { simple: true }) as number,
    servers: number('SELECT count(*) FROM servers') ?? 0,
    since: number('SELECT min(first_seen) FROM servers'),
    newest: number('SELECT max(last_arrived_at) FROM progress'),
    serving: served(),
    tables: tableNames().length,
  } satisfies DatabaseFacts)
  for (const table of tableNames()) {
    const said = db.pragma(`quick_check("${table}")`, { simple: true }) as string
    say({ table, problem: said === 'ok' ? null : said })
  }
} catch (error) {
  say({ problem: (error as Error).message })
}

function tableNames(): string[] {
  const sql = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
  return db.prepare(sql).pluck().all() as string[]
}

function served(): string | null {
  try {
    const sql = `SELECT model FROM model_decisions WHERE kind IN ('began', 'promoted', 'rolled back') ORDER BY id DESC LIMIT 1`
    return (db.prepare(sql).pluck().get() as string | undefined) ?? null
  } catch {
    return null
  }
}
