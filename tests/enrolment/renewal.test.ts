import { readFileSync } from 'node:fs'
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStores } from '../../hub/src/storage/stores.ts'
import { openSecureHub, type SecureHub, until } from './secure-hub.ts'

let hub: SecureHub
beforeAll(async () => {
  // Certificates that last for half a minute are renewed every other second.
  hub = await openSecureHub({ HARBINGER_TLS_AGENT_DAYS: String(30 / 86_400) })
}, 90_000)
afterAll(() => hub?.close())

test(
  'an agent renews its certificate again and again, and not one sample is lost',
  // No second try: it says that nothing is lost.
  { timeout: 120_000 },
  async () => {
    const token = await hub.token()
    expect((await hub.join('steady', token.line)).stderr).toBe('')
    const agent = hub.startAgent('steady')
    const renewals = () => agent.said.filter((line) => line.includes('certificate renewed')).length
    const serial = () =>
      new X509Certificate(readFileSync(hub.identityFile('steady'), 'utf8')).serialNumber
    const first = serial()
    await until('three renewals', () => renewals() >= 3, 60_000)
    expect(serial()).not.toBe(first)
    // The connection after the last renewal works.
    const at = Date.now()
    type Server = { lastSeen: string | null; agent: { status: string } }
    const server = await until('a sample after the renewals', async () => {
      const { body } = await hub.ask<Server>('/servers/steady')
      return body.lastSeen !== null && Date.parse(body.lastSeen) > at && body
    })
    expect(server.agent.status).toBe('online')
    await agent.stop()
    expect(agent.said.filter((line) => line.includes('no connection to the hub'))).toHaveLength(1)
    // Nobody was ever taken for lost: its will would have come with these words.
    const stores = openStores(hub.dataFolder)
    const seqs = stores.db.prepare('SELECT seq FROM samples ORDER BY seq').pluck().all() as number[]
    const status = stores.db.prepare('SELECT status_reason FROM servers').pluck().get()
    stores.close()
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => seqs[0]! + i))
    expect(seqs.length).toBeGreaterThan(3)
    expect(status).toBe('stopped')
  },
)
