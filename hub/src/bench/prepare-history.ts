import { simulatedFleet } from '@harbinger/model-training/simulator/fleet'
import { backfillDemo } from '../commands/demo-history.ts'
import { readConfig } from '../config.ts'
import { type HubStores, openStores } from '../storage/stores.ts'

/**
 * A process of its own that gives a data folder the past of a simulated fleet, so that its memory is not the hub's.
 * Arguments: data folder, servers, seed, now (ms).
 */
const [folder = '', servers = '90', seed = '7', now = '0'] = process.argv.slice(2)
/** Beyond so many servers pasts repeat: ten thousand different ones take half an hour to make. */
const different = 1000
const stores = openStores(folder)
backfillDemo(
  stores,
  { servers: Math.min(different, Number(servers)), seed: Number(seed) },
  { now: Number(now), retention: readConfig({ env: {}, flags: {} }).retention },
)
if (Number(servers) > different) repeatPasts(stores, Number(servers))
stores.close()

/** Gives every further server the past of one of its profile. */
function repeatPasts({ db, servers: known }: HubStores, count: number): void {
  const byProfile = Map.groupBy([...known.all()], ({ profile }) => profile)
  const fleet = simulatedFleet({ seed: Number(seed), servers: count, startAt: Number(now) })
  const copies = (['minutes', 'quarters'] as const).map((table) => {
    const step = table === 'minutes' ? 'minute' : 'quarter'
    return db.prepare(
      `INSERT INTO ${table} SELECT ?, ${step}, cells FROM ${table} WHERE server_id = ?`,
    )
  })
  for (const [i, { name, cores, inventory }] of fleet.servers.entries()) {
    if (known.find(name)) continue
    db.exec('BEGIN')
    const server = known.register(name, Number(now))
    known.setInventory(server, inventory)
    known.setCores(server, cores)
    const alike = byProfile.get(server.profile)!
    const { id, newestAt, latest } = alike[i % alike.length]!
    for (const copy of copies) copy.run(server.id, id)
    Object.assign(server, { newestAt, latest })
    known.saveProgress(server)
    db.exec('COMMIT')
  }
}
