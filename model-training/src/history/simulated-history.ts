import { metricNames } from '@harbinger/shared/metrics'
import { addSample, minuteMs } from '@harbinger/shared/window/series'
import { type Fault, type FleetOptions, simulatedFleet } from '../simulator/fleet.ts'
import { closeAllQuarters, type FleetHistory, spanSeries } from './fleet-history.ts'

const dayMs = 24 * 60 * minuteMs

/** With what went wrong: a fault's `index` is the place of its server. */
export type SimulatedHistory = FleetHistory & { readonly faults: readonly Fault[] }

/** A history of servers that do not exist, to learn from what a real trace does not show; labelled as simulated. */
export function simulatedHistory({
  days,
  stepMinutes = 5,
  ...fleetOptions
}: FleetOptions & { readonly days: number; readonly stepMinutes?: number }): SimulatedHistory {
  const fleet = simulatedFleet(fleetOptions)
  const from = fleetOptions.startAt
  const to = from + days * dayMs - 1
  const servers = fleet.servers.map(({ name, profile, cores, memoryBytes }) => ({
    ...{ name, profile, cores, memoryBytes },
    series: spanSeries(from, to, stepMinutes),
  }))
  for (let at = from; at <= to; at += stepMinutes * minuteMs) {
    for (let i = 0; i < servers.length; i++) {
      const readings = fleet.readingsAt(i, at)
      if (readings) addSample(servers[i]!.series, at, readings)
    }
  }
  for (const { series } of servers) closeAllQuarters(series)
  const { seed, calm = false, heldOutFaults = false } = fleetOptions
  return {
    name: `simulated-${calm ? 'calm' : 'busy'}${heldOutFaults ? '-held-out' : ''}-${seed}`,
    simulated: true,
    servers,
    from,
    to,
    intervalMinutes: stepMinutes,
    metrics: metricNames,
    faults: fleet.faults(),
  }
}
