import { publishFleet } from '../commands/simulate-publish.ts'

/**
 * A process of its own in which a simulated fleet speaks to a hub every 10 s, until it is disconnected. Arguments:
 * broker URL, servers, seed.
 */
const [url = '', servers = '90', seed = '7'] = process.argv.slice(2)
const fleet = await publishFleet({
  ...{ hub: url, servers: Number(servers), seed: Number(seed), speed: 1, now: Date.now },
  ...{ scenario: undefined, intervalMs: 10_000, shared: true },
})
process.send?.('sending')
process.once('disconnect', () => void fleet.close().then(() => process.exit(0)))
