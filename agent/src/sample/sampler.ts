import type { MetricName } from '@harbinger/shared/metrics'
import { contractVersion } from '@harbinger/shared/version'
import type { Log } from '../log.ts'
import type { AgentReadings, Collector } from './collector.ts'

/** One sample as it goes on the wire; `m` may hold extras beside the metrics of the contract. */
export type AgentSample = {
  readonly v: string
  readonly seq: number
  readonly at: number
  readonly cores?: number
  readonly m: AgentReadings
}

export type Sampler = ReturnType<typeof openSampler>

type Options = {
  readonly collectors: readonly Collector[]
  readonly cores: () => number | undefined
  readonly now: () => number
  readonly log: Log
  /** How long one collector may take; statfs on a failing disk can hang for ever. */
  readonly timeoutMs?: number
}

/**
 * Combines what the collectors say into samples of the contract. A collector that fails costs its own readings and
 * nothing else: they are absent from the sample, and the log says so once, when it starts and when it ends.
 *
 * The readings are of the machine that /proc shows. Inside a container with its own limits that is still the host:
 * its CPU and memory are what runs out, and a share of a limit would be another metric under the same name.
 */
export function openSampler({ collectors, cores, now, log, timeoutMs = 2_000 }: Options) {
  const failures = new Map<string, string>()
  const busy = new Set<string>()

  async function readingsOf(collector: Collector): Promise<AgentReadings> {
    const { name } = collector
    if (busy.has(name)) return {}
    try {
      const answer = collector.collect()
      const readings =
        answer instanceof Promise
          ? await inTime(answer, { name, timeoutMs, busy })
          : (answer as AgentReadings)
      if (failures.delete(name)) log.info({ collector: name }, 'collector works again')
      return readings
    } catch (error) {
      const reason = (error as Error).message
      if (!failures.has(name)) log.warn({ collector: name, reason }, 'collector failed')
      failures.set(name, reason)
      return {}
    }
  }

  return {
    async takeSample(seq: number): Promise<AgentSample> {
      const at = now()
      const m: { [name in MetricName]?: number } = {}
      for (const collector of collectors) Object.assign(m, await readingsOf(collector))
      const online = cores()
      return { v: contractVersion, seq, at, ...(online !== undefined && { cores: online }), m }
    },
    /** Why a collector's readings are absent; empty when all work. */
    failures: (): ReadonlyMap<string, string> => failures,
  }
}

/** While a late collector is still at it, it is not asked again. */
async function inTime(
  answer: Promise<AgentReadings>,
  { name, timeoutMs, busy }: { name: string; timeoutMs: number; busy: Set<string> },
): Promise<AgentReadings> {
  busy.add(name)
  const done = answer.finally(() => busy.delete(name))
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
  })
  done.catch(() => {})
  try {
    return await Promise.race([done, late])
  } finally {
    clearTimeout(timer)
  }
}
