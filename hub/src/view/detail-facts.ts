import type { ServerDetail } from '@harbinger/shared/api'
import { criticalLimit, limitedMetrics, warningLimit } from '@harbinger/shared/limits'
import type { Quarantined } from '../storage/quarantine-store.ts'
import type { Server } from '../storage/server-store.ts'
import type { Assessed } from './assess-server.ts'
import type { DetailFacts } from './rows.ts'

export type AgentFacts = {
  readonly quarantined: Readonly<Record<string, number>>
  readonly lastQuarantined: readonly Quarantined[]
}

/** What a server's own page shows beside its row. */
export function toDetailFacts(
  { facts, risk }: Assessed,
  server: Server,
  { quarantined, lastQuarantined }: AgentFacts,
): DetailFacts {
  const { profile, cores, inventory } = server
  const limits: ServerDetail['limits'] = {}
  for (const metric of limitedMetrics) {
    limits[metric] = {
      warning: warningLimit(profile, metric, { cores }) ?? null,
      critical: criticalLimit(profile, metric, { cores }) ?? null,
    }
  }
  return {
    ...facts,
    reasons: [...risk.reasons],
    unknown: [...risk.unknown],
    limits,
    inventory: inventory ? { ...inventory } : null,
    agent: {
      status: server.status,
      statusReason: server.statusReason ?? null,
      clockSkewMs: server.skewMs ?? null,
      quarantined: { ...quarantined },
      lastQuarantined: lastQuarantined.map(({ at, reason, detail }) => ({
        at: new Date(at).toISOString(),
        reason,
        detail,
      })),
      unknownReadings: server.unknownReadings,
    },
  }
}
