import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { silentLog } from '../../agent/src/log.ts'
import { openPublisher, type Publisher, reconnectWait } from '../../agent/src/publish/publisher.ts'
import { openSpool } from '../../agent/src/publish/spool.ts'
import { openTestBroker } from './broker.ts'

/** The same numbers from 0 to 1 for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

test.each([
  ['the first', 1, 1_000, 10_000],
  ['the second', 2, 2_000, 20_000],
  ['the tenth', 10, 3_000, 30_000],
])('a thousand agents that try for %s time are spread evenly over it', (_, attempts, from, to) => {
  const random = randomOf(attempts)
  const waits = Array.from({ length: 1_000 }, () =>
    reconnectWait(attempts, { firstMs: 5_000, random }),
  )
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(from)
  expect(Math.max(...waits)).toBeLessThanOrEqual(to)
  const tenths = new Array<number>(10).fill(0)
  for (const wait of waits) tenths[Math.min(9, Math.floor((10 * (wait - from)) / (to - from)))]!++
  // Chi-square with 9 degrees of freedom: beyond 27.9 in one of a thousand.
  const chiSquare = tenths.reduce((sum, n) => sum + (n - 100) ** 2 / 100, 0)
  expect(chiSquare).toBeLessThan(27.9)
  // A server is late 25 s after its last sample, and offline 25 s after its connection ended.
  if (attempts === 1) expect(Math.max(...waits)).toBeLessThan(15_000)
})

test('150 agents come back to a hub that was away one after the other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-reconnect-'))
  const random = randomOf(3)
  const broker = await openTestBroker()
  const clock = {
    now: Date.now,
    monotonicMs: () => performance.now(),
    after(delayMs: number, callback: () => void) {
      const timer = setTimeout(callback, delayMs)
      return () => clearTimeout(timer)
    },
  }
  const agents: Publisher[] = []
  const count = 150
  for (let i = 0; i < count; i++) {
    const options = { maxBytes: 1e6, maxAgeMs: 86_400_000, maxInMemory: 10 }
    agents.push(
      await openPublisher({
        ...{ server: `web${i}`, hubUrl: broker.url, nextSeq: () => 1, clock, log: silentLog },
        spool: openSpool(join(folder, String(i)), { ...options, clock, log: silentLog }),
        inventory: () => ({ agentVersion: '0.1.0' }),
        onInterval() {},
        // Two and a half times as fast: waits far longer than a busy machine keeps a connection waiting.
        ...{ reconnectMs: 2_000, random },
      }),
    )
  }
  await broker.until(() => broker.of('inventory').length === count)
  await broker.close()
  const again = await openTestBroker(broker.port)
  const began = performance.now()
  const arrivals: number[] = []
  await again.until(() => {
    while (arrivals.length < again.of('inventory').length) arrivals.push(performance.now() - began)
    return arrivals.length === count
  })
  const tenths = new Array<number>(10).fill(0)
  const [first, last] = [arrivals[0]!, arrivals.at(-1)!]
  expect(last - first).toBeGreaterThan(2_000)
  for (const ms of arrivals)
    tenths[Math.min(9, Math.floor((10 * (ms - first)) / (last - first)))]!++
  expect(Math.max(...tenths)).toBeLessThan(count * 0.4)
  expect(tenths.filter((n) => n > 0).length).toBeGreaterThanOrEqual(7)
  for (const agent of agents) await agent.close()
  await again.close()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)
