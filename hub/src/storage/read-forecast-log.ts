import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from './database.ts'
import { forecastLogStore } from './forecast-log-store.ts'

/** The forecast log of a data folder, beside a hub that may be at work on it. Throws where there is none. */
export function openLogToRead(folder: string) {
  const file = join(folder, 'harbinger.db')
  if (!existsSync(file)) {
    throw new Error(`no data of a hub in ${folder}: name its data folder with --data`)
  }
  const db = openDatabase(file)
  db.pragma('query_only = ON')
  return { forecastLog: forecastLogStore(db), close: () => db.close() }
}
