import BetterSqlite3 from 'better-sqlite3'
import { migrations } from './migrations.ts'

export type Database = BetterSqlite3.Database

/**
 * Opens the hub's one database and brings it to this version. WAL with synchronous=FULL: what was committed
 * survives a power cut, which is what an acknowledgement promises (ADR 4).
 */
export function openDatabase(file: string): Database {
  const db = new BetterSqlite3(file)
  try {
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    // 32 MiB: the leaf pages that a fleet of 1,000 servers is writing to stay in memory.
    db.pragma('cache_size = -32768')
    // A checkpoint every 16 MiB instead of 4: fewer, as the same pages are written again and again.
    db.pragma('wal_autocheckpoint = 4096')
    migrate(db, file)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function migrate(db: Database, file: string): void {
  const versionNow = () => db.pragma('user_version', { simple: true }) as number
  const version = versionNow()
  if (version > migrations.length) {
    throw new Error(
      `the database ${file} has format ${version}, this Harbinger knows ${migrations.length}: ` +
        'it was written by a newer version; install that version again, or restore a backup made before the upgrade',
    )
  }
  for (const [i, sql] of migrations.entries()) {
    if (i < version) continue
    db.transaction(() => {
      // A command beside a hub that starts for the first time: the other one was faster.
      if (versionNow() > i) return
      db.exec(sql)
      db.pragma(`user_version = ${i + 1}`)
    }).immediate()
  }
}
