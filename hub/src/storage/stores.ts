import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ProfileRule } from '@harbinger/shared/profiles'
import { agentCostStore } from './agent-cost-store.ts'
import { agentStore } from './agent-store.ts'
import { auditStore } from './audit-store.ts'
import { openDatabase } from './database.ts'
import { driftStore } from './drift-store.ts'
import { forecastLogStore } from './forecast-log-store.ts'
import { forecastStore } from './forecast-store.ts'
import { intervalRuleStore } from './interval-rule-store.ts'
import { modelStore } from './model-store.ts'
import { quarantineStore } from './quarantine-store.ts'
import { rollupStore } from './rollup-store.ts'
import { sampleStore } from './sample-store.ts'
import { serverStore } from './server-store.ts'
import { apiTokenStore, sessionStore } from './session-store.ts'
import { tokenStore } from './token-store.ts'
import { trainingStore } from './training-store.ts'
import { userStore } from './user-store.ts'

export type HubStores = ReturnType<typeof openStores>

/** The one file of a data folder that holds all the hub knows. */
export const databaseFile = (folder: string): string =>
  folder === ':memory:' ? folder : join(folder, 'harbinger.db')

/** Everything the hub keeps, in one file of the data folder. */
export function openStores(folder: string, profileRules: readonly ProfileRule[] = []) {
  if (folder !== ':memory:') mkdirSync(folder, { recursive: true })
  const db = openDatabase(databaseFile(folder))
  return {
    db,
    servers: serverStore(db, profileRules),
    samples: sampleStore(db),
    rollups: rollupStore(db),
    quarantine: quarantineStore(db),
    agentCosts: agentCostStore(db),
    forecasts: forecastStore(db),
    forecastLog: forecastLogStore(db),
    drift: driftStore(db),
    models: modelStore(db),
    trainings: trainingStore(db),
    people: {
      users: userStore(db),
      sessions: sessionStore(db),
      apiTokens: apiTokenStore(db),
      audit: auditStore(db),
    },
    tokens: tokenStore(db),
    agents: agentStore(db),
    intervalRules: intervalRuleStore(db),
    close: () => {
      // What the log holds goes into the file, so that a copy of the one file is whole.
      db.pragma('wal_checkpoint(TRUNCATE)')
      db.close()
    },
  }
}
