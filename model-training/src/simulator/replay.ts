import type { Readings } from '@harbinger/shared/metrics'
import { simulatedFleet } from './fleet.ts'

/** The four phases of the replay, in seconds from its start. */
export const replayPhases = [
  { phase: 'stable', from: 0, to: 75 },
  { phase: 'escalation', from: 75, to: 165 },
  { phase: 'peak', from: 165, to: 225 },
  { phase: 'recovery', from: 225, to: 300 },
] as const

export type ReplayPhase = (typeof replayPhases)[number]['phase']
export const replaySeconds = 300

/** A Wednesday at 11:00 in New York; the replay always shows the same five minutes. */
const defaultStartAt = Date.UTC(2026, 2, 4, 16)

export type Replay = ReturnType<typeof openReplay>

/** Five minutes in the life of a fleet, the same every time: it is well, worsens, is at its worst, and recovers. */
export function openReplay({
  seed = 7,
  servers = 90,
  startAt = defaultStartAt,
}: { readonly seed?: number; readonly servers?: number; readonly startAt?: number } = {}) {
  const fleet = simulatedFleet({ seed, servers, startAt, faultsPerServerDay: 0 })
  const [, escalation, peak, recovery] = replayPhases
  const at = (second: number): number => startAt + second * 1000
  // At a third of its usual time, degrading is all there before the peak begins.
  fleet.setScenario('degrading', at(escalation.from), { pace: 1 / 3 })
  fleet.setScenario('critical', at(peak.from), { pace: 1 / 3 })
  fleet.setScenario('healthy', at(recovery.from))
  return {
    fleet,
    startAt,
    endAt: at(replaySeconds),
    phaseAt: (instant: number): ReplayPhase => {
      const second = (instant - startAt) / 1000
      return replayPhases.find(({ to }) => second < to)?.phase ?? 'recovery'
    },
    readingsAt: (i: number, instant: number): Readings | undefined => fleet.readingsAt(i, instant),
  }
}
