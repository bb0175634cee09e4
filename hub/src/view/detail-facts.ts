import type { ServerDetail } from '@harbinger/shared/api'
import { criticalLimit, limitedMetrics, warningLimit } from '@harbinger/shared/limits'
import type { NameConflict } from '../ingest/namesakes.ts'
import type { AgentCostStore } from '../storage/agent-cost-store.ts'
import type { Quarantined } from '../storage/quarantine-store.ts'
import type { Server } from '../storage/server-store.ts'
import type { Assessed } from './assess-server.ts'
import type { DetailFacts } from './rows.ts'

export type AgentFacts = {
  readonly quarantined: Readonly<Record<string, number>>
  readonly lastQuarantined: readonly Quarantined[]
  readonly conflict: NameConflict | undefined
  readonly certificate: ServerDetail['agent']['certificate']
  readonly own: ReturnType<AgentCostStore['last']>
  readonly interval: ServerDetail['agent']['interval']
}

/** What a server's own page shows beside its row. */
export function toDetailFacts(
  { facts, risk }: Assessed,
  server: Server,
  { quarantined, lastQuarantined, own, conflict, certificate, interval }: AgentFacts,
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
    conflictOf: conflict ? toConflict(conflict) : null,
    retired: server.retired
      ? { ...server.retired, at: new Date(server.retired.at).toISOString() }
      : null,
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
      certificate,
      unknownReadings: server.unknownReadings,
      interval,
      own: own ? toOwn(own) : null,
    },
  }
}

const conflictAdvice =
  'Give the other one a name of its own ("server" in its agent.yaml; with TLS it joins again), or stop it. It keeps what it measures, for 7 days or 64 MB, and sends it under its new name. If it is a copy of this server’s disk, empty its agent’s state directory first.'

function toConflict({ since, kept, others }: NameConflict): ServerDetail['conflictOf'] {
  const instant = (at: number): string => new Date(at).toISOString()
  return {
    since: instant(since),
    kept: { address: kept.address, since: instant(kept.since) },
    others: others.map(({ address, since, lastAt, refused }) => ({
      ...{ address, since: instant(since), lastAt: instant(lastAt), refused },
    })),
    advice: conflictAdvice,
  }
}

/** A reading that the agent did not send is unknown. */
function toOwn({ at, readings }: NonNullable<AgentFacts['own']>): ServerDetail['agent']['own'] {
  const fault = readings.agent_spool_fault
  return {
    at: new Date(at).toISOString(),
    cpuPct: readings.agent_cpu_pct ?? null,
    rssMb: readings.agent_rss_mb ?? null,
    spoolSamples: readings.agent_spool_samples ?? null,
    spoolMb: readings.agent_spool_mb ?? null,
    dropped: readings.agent_dropped ?? null,
    spoolFault: fault === undefined ? null : fault > 0,
  }
}
