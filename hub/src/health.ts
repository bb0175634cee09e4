import type { Health } from '@harbinger/shared/api'
import { contractVersion, productVersion } from '@harbinger/shared/version'
import type { Cycles } from './cycles.ts'
import type { Forecaster } from './forecast/forecaster.ts'
import type { Broker } from './ingest/broker.ts'
import type { BrokerStatus } from './ingest/broker-status.ts'

type Parts = {
  readonly now: () => number
  readonly forecaster: Pick<Forecaster, 'status'>
  readonly broker: Pick<Broker, 'waiting' | 'lagMs' | 'isFailing'> & {
    counters(): Readonly<Record<string, number>>
    status(): BrokerStatus
  }
  readonly rounds: Pick<Cycles, 'last' | 'counters'>
  readonly accuracy: { readonly problems: () => readonly string[] }
  readonly servers: () => number
}

/** How the hub is, for people and for the programs that watch it. */
export function hubHealth({
  now,
  forecaster,
  broker,
  rounds,
  accuracy,
  servers,
}: Parts): () => Health {
  const startedAt = now()
  return () => {
    const { model, problem, device, deviceReason, deviceProblem, restarts } = forecaster.status()
    const problems: string[] = []
    const heard = broker.status()
    if (!heard.connected) {
      problems.push(
        `no agent is heard: the broker ${heard.address} is not connected: ${heard.reason}`,
      )
    }
    if (broker.isFailing()) problems.push('storage fails: agents keep their samples until it works')
    if (problem) problems.push(`forecasting by baselines alone: ${problem}`)
    if (deviceProblem) problems.push(`the processor runs the network: ${deviceProblem}`)
    problems.push(...accuracy.problems())
    const lastCycle = rounds.last()
    const counters = { ...broker.counters(), ...rounds.counters(), forecasterRestarts: restarts }
    return {
      status: problems.length > 0 ? 'degraded' : lastCycle === null ? 'starting' : 'ok',
      problems,
      version: productVersion,
      contractVersion,
      node: process.version,
      startedAt: new Date(startedAt).toISOString(),
      uptimeSeconds: Math.round((now() - startedAt) / 1000),
      model,
      modelProblem: problem,
      device,
      deviceReason,
      broker: heard,
      ingestLagMs: broker.lagMs() ?? null,
      lastCycle,
      queues: { ingest: broker.waiting() },
      counters: { ...counters, servers: servers() },
    }
  }
}
