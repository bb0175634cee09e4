import type { Config } from '../config.ts'
import { openStores } from '../storage/stores.ts'
import { registryOf } from './open-models.ts'

/** The registry of a data folder, for a command line beside no hub. The caller closes it. */
export function openRegistryAlone(config: Config, now: () => number) {
  const stores = openStores(config.dataFolder, config.profileRules)
  return { registry: registryOf(config, stores, now), stores, close: stores.close }
}
