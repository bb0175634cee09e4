import { backfillDemo } from '../commands/demo-history.ts'
import { readConfig } from '../config.ts'
import { openStores } from '../storage/stores.ts'

/**
 * A process of its own that gives a data folder the past of a simulated fleet, so that its memory is not the hub's.
 * Arguments: data folder, servers, seed, now (ms).
 */
const [folder = '', servers = '90', seed = '7', now = '0'] = process.argv.slice(2)
const stores = openStores(folder)
backfillDemo(
  stores,
  { servers: Number(servers), seed: Number(seed) },
  { now: Number(now), retention: readConfig({ env: {}, flags: {} }).retention },
)
stores.close()
