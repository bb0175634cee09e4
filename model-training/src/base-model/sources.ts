import type { FleetHistory } from '../history/fleet-history.ts'
import { type SimulatedHistory, simulatedHistory } from '../history/simulated-history.ts'
import { variedHistory } from '../history/varied-history.ts'
import type { Moment, Source } from '../train/training-set.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const startAt = Date.UTC(2025, 2, 3)
const fleet = { servers: 90, stepMinutes: 1 } as const

/** How often windows of a kind are drawn. */
const weights = { varied: 1, simulated: 0.45 } as const

/** Real days from here on choose who serves and calibrate; from `reportedFrom` on they are reported. Days of the trace. */
export const chosenFrom = 22
export const reportedFrom = 25

/** A stretch of a history; all of it by default. */
export const stretch = (history: FleetHistory, from = history.from, to = history.to) => ({
  ...{ history, from, to },
})

/** What the base model learns from: no server of it exists. */
export function simulatedSources(): Source[] {
  const varied = [21, 22].map((seed) =>
    variedHistory({ seed, servers: 160, startAt: startAt + seed * dayMs, days: 16 }),
  )
  const faulty = { ...fleet, days: 13, faultsPerServerDay: 0.3 }
  const fleets = [
    simulatedHistory({ ...faulty, seed: 11, startAt }),
    simulatedHistory({ ...faulty, seed: 12, startAt: startAt + 30 * dayMs, calm: true }),
    simulatedHistory({ ...faulty, seed: 13, startAt: startAt + 100 * dayMs }),
    simulatedHistory({ ...fleet, days: 13, seed: 14, startAt: startAt + 200 * dayMs }),
  ]
  return [
    ...varied.map((history) => ({
      ...stretch(history),
      weight: weights.varied / varied.length,
    })),
    ...fleets.map((history) => ({
      ...stretch(history),
      weight: weights.simulated / fleets.length,
      moments: risesOf(history),
    })),
  ]
}

/**
 * The stretches in which a slow fault can be seen coming: past its first sign, before its full effect. By chance alone
 * one window in a hundred would show one.
 */
function risesOf({ faults }: SimulatedHistory): Moment[] {
  return faults.flatMap(({ index, onset, peak }) => {
    const rise = peak - onset
    if (rise < 30 * minuteMs) return []
    return [{ server: index, from: onset + 0.15 * rise, to: peak }]
  })
}

/** Other servers at another time: to stop early by, and to choose and calibrate by. */
export const heldOutFleet = (): SimulatedHistory =>
  simulatedHistory({
    ...{ ...fleet, servers: 60, seed: 77, startAt: startAt + 60 * dayMs, days: 12 },
    faultsPerServerDay: 0.15,
  })

/** A third fleet, with faults whose shapes no training fleet shows: to report on. */
export const reportedFleet = (): SimulatedHistory =>
  simulatedHistory({
    ...{ ...fleet, servers: 60, seed: 78, startAt: startAt + 75 * dayMs, days: 12 },
    heldOutFaults: true,
    faultsPerServerDay: 0.15,
  })
