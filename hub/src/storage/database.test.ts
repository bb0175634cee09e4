import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openDatabase } from './database.ts'
import { migrations } from './migrations.ts'

const folder = mkdtempSync(join(tmpdir(), 'harbinger-database-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('commits survive a power cut: write-ahead log, synced at every commit', () => {
  const db = openDatabase(join(folder, 'a.db'))
  expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
  expect(db.pragma('synchronous', { simple: true })).toBe(2)
  expect(db.pragma('user_version', { simple: true })).toBe(migrations.length)
  db.close()
})

test('opens its own database again', () => {
  const file = join(folder, 'b.db')
  openDatabase(file).close()
  const db = openDatabase(file)
  expect(db.prepare('SELECT count(*) AS n FROM servers').get()).toEqual({ n: 0 })
  db.close()
})

test('refuses the database of a newer version, and says what to do', () => {
  const file = join(folder, 'c.db')
  const db = openDatabase(file)
  db.pragma(`user_version = ${migrations.length + 1}`)
  db.close()
  expect(() => openDatabase(file)).toThrow(
    new RegExp(
      `format ${migrations.length + 1}, this Harbinger knows ${migrations.length}.*install`,
    ),
  )
})
