import type { MetricName } from '@harbinger/shared/metrics'
import { type Fault, type FaultKind, faultKinds, shortestRise } from './faults.ts'
import { type FleetOptions, type SimulatedFleet, simulatedFleet } from './fleet.ts'

/** Kinds that take an hour or more from their first sign to their full effect, however fast they are drawn. */
export const slowKinds: ReadonlySet<FaultKind> = new Set(
  faultKinds.filter((kind) => shortestRise(kind) >= 60),
)

export type Cause =
  | { readonly kind: FaultKind; readonly slow: boolean; readonly onset: number }
  /** Backups, deploys, reboots; or nothing but what is asked of the server. */
  | { readonly kind: 'planned_work' | 'demand'; readonly slow: false }

/** Where and what to explain: `isPast` says whether a reading of the metric is trouble. */
export type Trouble = {
  readonly index: number
  readonly at: number
  readonly metric: MetricName
  readonly isPast: (value: number) => boolean
}

/**
 * What brought a reading past its limit: the server is simulated again with each of its faults left out, and the fault
 * whose absence changes the reading most is the cause. One that stays past its limit without any fault has none.
 */
export function causeOf(
  fleet: Pick<SimulatedFleet, 'readingsAt' | 'planned'>,
  faults: readonly Fault[],
  { index, at, metric, isPast }: Trouble,
): Cause {
  const read = (without: (fault: Fault) => boolean): number | undefined =>
    fleet.readingsAt(index, at, { without })?.[metric]
  const now = read(() => false)
  const healthy = read(() => true)
  const open = faults.filter(
    (fault) => fault.index === index && at >= fault.onset && at < fault.end,
  )
  if (now !== undefined && healthy !== undefined && !isPast(healthy) && open.length > 0) {
    const change = (left: Fault): number => Math.abs(now - (read((fault) => fault === left) ?? now))
    const [worst] = open.map((fault) => ({ fault, by: change(fault) })).sort((a, b) => b.by - a.by)
    const { kind, onset } = worst!.fault
    return { kind, slow: slowKinds.has(kind), onset }
  }
  const isPlanned = fleet.planned(index, { from: at, to: at + 1 }).length > 0
  return { kind: isPlanned ? 'planned_work' : 'demand', slow: false }
}

/** Explains trouble of a fleet that was simulated up to `until`: the same options make the same fleet again. */
export function causeFinder(options: FleetOptions, until: number): (trouble: Trouble) => Cause {
  const fleet = simulatedFleet(options)
  fleet.readingsAt(0, until)
  const faults = fleet.faults()
  return (trouble) => causeOf(fleet, faults, trouble)
}
