import type { AgentReadings } from '@harbinger/shared/sample'
import type { Clock } from './clock.ts'
import type { SpoolState } from './publish/spool.ts'

/** Every sample would grow by a quarter. */
const everyMs = 60_000

type Options = {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly cpuMicros: () => number
  readonly rssBytes: () => number
  readonly spool: () => SpoolState
}

/** What watching costs the watched server, as readings beside its metrics: about once a minute. */
export function ownCost({ clock, cpuMicros, rssBytes, spool }: Options) {
  let before = { at: clock.monotonicMs(), cpu: cpuMicros() }

  return {
    /** Empty when the last ones are less than a minute old. */
    readings(): AgentReadings {
      const now = { at: clock.monotonicMs(), cpu: cpuMicros() }
      const elapsed = now.at - before.at
      if (elapsed < everyMs) return {}
      const cpuMs = (now.cpu - before.cpu) / 1000
      before = now
      const { samples, bytes, dropped, problem } = spool()
      return {
        agent_cpu_pct: round((100 * cpuMs) / elapsed, 3),
        agent_rss_mb: round(rssBytes() / 1e6, 1),
        agent_spool_samples: samples,
        agent_spool_mb: round(bytes / 1e6, 2),
        agent_dropped: dropped,
        agent_spool_fault: problem === undefined ? 0 : 1,
      }
    },
  }
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits))
