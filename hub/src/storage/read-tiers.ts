import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ProfileRule } from '@harbinger/shared/profiles'
import BetterSqlite3 from 'better-sqlite3'
import { migrations } from './migrations.ts'
import { rollupStore } from './rollup-store.ts'
import { serverStore } from './server-store.ts'

/**
 * The servers and rollups of a data folder, to read only, beside a hub that may be at work on it. Throws where there
 * are none, or where they cannot be read.
 */
export function openTiersToRead(folder: string, profileRules: readonly ProfileRule[] = []) {
  const file = join(folder, 'harbinger.db')
  if (!existsSync(file)) {
    throw new Error(
      `no data of a hub in ${folder}: name its data folder with --data, or a history file with --history`,
    )
  }
  let db: BetterSqlite3.Database | undefined
  try {
    db = new BetterSqlite3(file, { readonly: true, fileMustExist: true })
    const version = db.pragma('user_version', { simple: true }) as number
    if (version !== migrations.length) {
      throw new Error(
        version > migrations.length
          ? `it has format ${version}, this Harbinger knows ${migrations.length}`
          : `it has format ${version} of an older version; start the hub once, which brings it to ${migrations.length}`,
      )
    }
    return {
      servers: serverStore(db, profileRules),
      rollups: rollupStore(db),
      close: () => db!.close(),
    }
  } catch (error) {
    db?.close()
    throw new Error(
      `the data of the hub cannot be read from ${file}: ${(error as Error).message}`,
      {
        cause: error,
      },
    )
  }
}
