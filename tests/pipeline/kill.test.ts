import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { deflateSync } from 'node:zlib'
import { connectAsync } from 'mqtt'
import { afterAll, expect, test } from 'vitest'
import { topic } from '../../shared/src/topics.ts'
import { openStores } from '../../hub/src/storage/stores.ts'

const main = fileURLToPath(new URL('../../hub/src/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'harbinger-kill-'))
let child: ChildProcess | undefined
afterAll(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

async function startHub(): Promise<{ mqttPort: number; kill: () => Promise<void> }> {
  const started = spawn(
    process.execPath,
    [main, 'hub', '--port', '0', '--mqtt-port', '0', '--data', folder],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH } },
  )
  child = started
  for await (const line of createInterface({ input: started.stdout })) {
    const { mqttPort } = JSON.parse(line) as { mqttPort?: number }
    if (mqttPort === undefined) continue
    return {
      mqttPort,
      async kill() {
        const gone = once(started, 'exit')
        started.kill('SIGKILL')
        await gone
      },
    }
  }
  throw new Error('the hub ended before it was up')
}

const base = Date.now() - 60_000
const sampleOf = (seq: number) => ({
  v: '1.0.0',
  seq,
  at: base + seq,
  m: { mem_used_pct: seq % 100 },
})

test(
  'a hub killed while it takes in samples loses none it acknowledged and keeps none twice',
  // No second try: it says that nothing is lost.
  { timeout: 120_000 },
  async () => {
    let acked = 0
    let next = 1
    for (let round = 1; round <= 3; round++) {
      const hub = await startHub()
      const client = await connectAsync(`mqtt://127.0.0.1:${hub.mqttPort}`, {
        clientId: 'web1',
        reconnectPeriod: 0,
      })
      client.on('error', () => {})
      let enough = () => {}
      const many = new Promise<void>((resolve) => (enough = resolve))
      const goal = acked + 300
      client.on('message', (_topic, payload) => {
        acked = Math.max(acked, (JSON.parse(payload.toString()) as { upTo: number }).upTo)
        if (acked >= goal) enough()
      })
      await client.subscribeAsync(topic('web1', 'ack'))
      // As an agent does: what was not acknowledged first, oldest first, then live samples.
      const owed = Array.from({ length: next - 1 - acked }, (_, i) => sampleOf(acked + 1 + i))
      if (owed.length > 0) {
        client.publish(topic('web1', 'backlog'), deflateSync(JSON.stringify(owed)), { qos: 1 })
      }
      const send = () => {
        for (let i = 0; i < 20 && client.connected; i++) {
          client.publish(topic('web1', 'samples'), JSON.stringify(sampleOf(next++)), { qos: 1 })
        }
      }
      const timer = setInterval(send, 1)
      await many
      await hub.kill()
      clearInterval(timer)
      client.end(true)

      const stores = openStores(folder)
      const seqs = stores.db
        .prepare('SELECT seq FROM samples ORDER BY seq')
        .pluck()
        .all() as number[]
      stores.close()
      expect(new Set(seqs).size).toBe(seqs.length)
      expect(seqs.slice(0, acked)).toEqual(Array.from({ length: acked }, (_, i) => i + 1))
    }
  },
)
