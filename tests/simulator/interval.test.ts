import { expect, test } from 'vitest'
import { publishFleet } from '../../hub/src/commands/simulate-publish.ts'
import { openTestBroker } from '../agent/broker.ts'

test.each([true, false])(
  'a simulated server samples as the hub asks, and by itself again (one connection for all: %s)',
  async (shared) => {
    const broker = await openTestBroker()
    const fleet = await publishFleet({
      ...{ hub: broker.url, servers: 1, seed: 1, speed: 1, scenario: undefined, shared },
      // So long that only what the hub asks for brings a second sample; one tick of it is 2 s.
      ...{ intervalMs: 40_000, now: Date.now },
    })
    const name = fleet.names[0]!
    const interval = () =>
      (broker.of('inventory').at(-1) as { interval: object } | undefined)?.interval
    await broker.until(() => broker.of('samples').length === 1)
    expect(interval()).toEqual({ seconds: 40, own: 40, from: 'own' })
    await broker.say(name, 'config', { intervalSeconds: 2 })
    await broker.until(() => broker.of('samples').length >= 3)
    expect(interval()).toEqual({ seconds: 2, own: 40, from: 'hub' })
    const seqs = broker.of('samples').map((sample) => (sample as { seq: number }).seq)
    expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i))
    await broker.say(name, 'config', 'soon')
    await broker.say(name, 'config', '')
    await broker.until(() => (interval() as { from: string }).from === 'own')
    await fleet.close()
    await broker.close()
  },
  20_000,
)
