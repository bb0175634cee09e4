import { beforeEach, expect, test } from 'vitest'
import { serverId } from '@harbinger/shared/server'
import { openDatabase, type Database } from './database.ts'
import { serverStore } from './server-store.ts'

let db: Database
beforeEach(() => {
  db = openDatabase(':memory:')
})

test('a server is found however its name is written, and keeps the way it was first written', () => {
  const servers = serverStore(db)
  const { id } = servers.register('PPdb001', 1)
  expect(servers.register('ppDB001', 2)).toBe(servers.find('ppdb001'))
  expect(servers.find('PPDB001')).toMatchObject({ id, name: 'PPdb001', firstSeen: 1 })
  expect(servers.count()).toBe(1)
})

test('an id that is taken moves up by one, and stays after a restart', () => {
  const servers = serverStore(db)
  const taken = serverId('ppml0001')
  db.prepare('INSERT INTO servers (id, name, key, first_seen) VALUES (?, ?, ?, 0)').run(
    taken,
    'squatter',
    'squatter',
  )
  const again = serverStore(db)
  expect(again.register('ppml0001', 1).id).toBe(taken + 1)
  expect(servers.count()).toBe(0)
  expect(serverStore(db).find('ppml0001')!.id).toBe(taken + 1)
})

test('the profile is decided by operator, agent, name, in this order', () => {
  const servers = serverStore(db, [{ pattern: '^box', profile: 'data_ingest' }])
  const box = servers.register('box1', 1)
  expect(box).toMatchObject({ profile: 'data_ingest', profileSource: 'rule' })
  servers.setInventory(box, { agentVersion: '1', profile: 'database' })
  expect(box).toMatchObject({ profile: 'database', profileSource: 'agent' })
  servers.setOperatorProfile(box, 'web_api')
  servers.setInventory(box, { agentVersion: '2', profile: 'database' })
  expect(box).toMatchObject({ profile: 'web_api', profileSource: 'operator' })
  expect(serverStore(db).find('box1')).toMatchObject({ profile: 'web_api' })
})

test('a profile that is none is not believed', () => {
  const servers = serverStore(db)
  const server = servers.register('ppdb7', 1)
  servers.setInventory(server, { agentVersion: '1', profile: 'mainframe' })
  expect(server).toMatchObject({ profile: 'database', profileSource: 'rule' })
})

test('progress is there after a restart', () => {
  const servers = serverStore(db)
  const server = servers.register('a', 1)
  Object.assign(server, { decidedUpTo: 42, newestAt: 7, lastArrivedAt: 8, skewMs: -3 })
  servers.saveProgress(server)
  expect(serverStore(db).find('a')).toMatchObject({
    decidedUpTo: 42,
    newestAt: 7,
    lastArrivedAt: 8,
    skewMs: -3,
  })
})
