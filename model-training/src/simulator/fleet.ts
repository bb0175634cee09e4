import type { Readings } from '@harbinger/shared/metrics'
import { emptyCondition, healthyServer, marketMood } from './condition.ts'
import { dependencyGraph } from './dependencies.ts'
import { applyFault, applyMemoryPressure } from './fault-effects.ts'
import { endsInBoot, type Fault, faultSchedule, severityOfFault } from './faults.ts'
import { marketClock } from './market-day.ts'
import { applyPlanned, type PlannedWork, plannedWork } from './planned.ts'
import { hash32, smoothNoise, smoothstep } from './random.ts'
import {
  applyPart,
  calmingMs,
  type Cast,
  castScenario,
  faultsOfCast,
  type Scenario,
  shownOf,
} from './scenarios.ts'
import { busyTraits, calmTraits, fleetServers, type SimulatedServer } from './server-traits.ts'

export type { SimulatedServer } from './server-traits.ts'
export type { Fault, FaultKind } from './faults.ts'
export type { PlannedWork } from './planned.ts'
export { type Scenario, scenarios } from './scenarios.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

export type FleetOptions = {
  readonly seed: number
  readonly servers: number
  /** ms since epoch; faults that ended before are left out of `faults()`. Levels do not depend on it. */
  readonly startAt: number
  /** Mean over the fleet, default 0.05; one server in ten has most of them. */
  readonly faultsPerServerDay?: number
  /** Only fault shapes that no training fleet shows; default false: only the others. */
  readonly heldOutFaults?: boolean
  /** The calm kind of fleet: idle 74–99, little memory in use; default false: the levels of the profiles. */
  readonly calm?: boolean
  /** Of the market's day; default: New York with its summer time. */
  readonly utcOffsetHours?: number
}

export type SimulatedFleet = ReturnType<typeof simulatedFleet>

/**
 * A fleet that does not exist. Every reading is a function of the seed, the server and the instant (and of the
 * scenarios set), so that any step gives the same story and a later start continues it.
 */
export function simulatedFleet(options: FleetOptions) {
  const { seed, startAt, faultsPerServerDay = 0.05, heldOutFaults = false, calm = false } = options
  const placed = fleetServers(seed, options.servers)
  const servers = placed.map(({ server }) => server) as readonly SimulatedServer[]
  const names = servers.map(({ name }) => name)
  const clock = marketClock(options.utcOffsetHours)
  const mood = marketMood(hash32(seed, 0x300d, 0))
  const needs = dependencyGraph(seed, servers)
  const schedule = faultSchedule({
    ...{ seed, servers, needs },
    ...{ perServerDay: faultsPerServerDay, heldOut: heldOutFaults },
  })
  const utcOf = (localMs: number): number =>
    localMs - clock.offsetAt(localMs - clock.offsetAt(localMs))
  const bodies = placed.map((place) => {
    const { server } = place
    const traits = calm ? calmTraits(seed, server) : busyTraits(seed, place)
    return {
      traits,
      healthy: healthyServer(server, traits),
      planned: plannedWork({ seed: traits.seed, profile: server.profile, utcOf }),
      wave: smoothNoise(traits.seed, 31, 4 * minuteMs),
    }
  })
  const casts: Cast[] = []
  const c = emptyCondition()
  let reached = startAt
  let drawnTo = -Infinity
  let moodAt = NaN
  let moodNow = 0

  function readingsAt(
    i: number,
    at: number,
    { without = () => false }: { readonly without?: (fault: Fault) => boolean } = {},
  ): Readings | undefined {
    if (at > reached) reached = at
    if (at > drawnTo) {
      schedule.reach(at)
      drawnTo = at
    }
    if (at !== moodAt) {
      moodAt = at
      moodNow = mood(at)
    }
    const { traits, healthy, planned, wave } = bodies[i]!
    const { levels } = traits
    const time = clock.timeAt(at)
    healthy.fill(c, at, { time, mood: moodNow })
    for (const work of planned.ofDay(time.day))
      applyPlanned(c, work, { at, levels, seed: traits.seed })

    let bootAt = planned.bootBefore(at, time.day)
    const shown = 1 - calmed(at)
    for (const fault of schedule.of(i)) {
      if (at < fault.onset || isMuted(fault) || without(fault)) continue
      if (endsInBoot(fault.kind) && fault.relief <= at && fault.relief > bootAt) {
        bootAt = fault.relief
      }
      if (at >= fault.end || shown === 0) continue
      const w = shown * severityOfFault(fault, at)
      applyFault(c, fault, { at, w, levels, wave: wave(at) })
    }
    for (const cast of casts) {
      const part = cast.parts[i]
      if (part) applyPart(c, part, { w: shownOf(cast, part, at), levels, seed })
    }
    applyMemoryPressure(c)
    return c.dead ? undefined : healthy.readings(c, at, (at - bootAt) / dayMs)
  }

  /** How far the drawn faults have been told to stop, 0 … 1: a scenario shows itself and nothing else. */
  const calmed = (at: number): number =>
    casts.length === 0 ? 0 : smoothstep((at - casts[0]!.at) / calmingMs)

  const isMuted = ({ onset }: Fault): boolean => casts.length > 0 && onset >= casts[0]!.at

  return {
    servers,
    /** For each server the servers it needs, by index. */
    needs,
    /**
     * Readings of server `i` at `at` (ms), undefined while it is silent. Steps of any size; a scenario acts on the
     * instants asked for after it was set. `without` tells what they would be had those faults not happened.
     */
    readingsAt,
    /** Takes effect from `at` on; whatever was there before calms down within two minutes. */
    setScenario(
      scenario: Scenario,
      at: number,
      { pace = 1 }: { readonly pace?: number } = {},
    ): void {
      const last = casts.at(-1)
      if (last) last.until = Math.min(last.until, at)
      const profiles = servers.map(({ profile }) => profile)
      casts.push(castScenario(scenario, { seed, at, profiles, needs, pace }))
    },
    /** Ground truth: every fault that began before the last instant asked for and ended after the start. */
    faults(): readonly Fault[] {
      schedule.reach(reached)
      const first = casts[0]?.at ?? Number.POSITIVE_INFINITY
      const drawn = schedule.all().flatMap((fault) => {
        if (fault.onset > reached || fault.onset >= first || fault.end <= startAt) return []
        return [fault.end <= first + calmingMs ? fault : { ...fault, end: first + calmingMs }]
      })
      const played = casts.flatMap((cast) => faultsOfCast(cast, names))
      return [...drawn, ...played.filter(({ onset }) => onset <= reached)].sort(
        (a, b) => a.onset - b.onset || a.index - b.index,
      )
    },
    /** Backups, deploys and reboots of server `i` that touch the span: what its maintenance calendar would say. */
    planned(i: number, { from, to }: { readonly from: number; readonly to: number }) {
      const work: PlannedWork[] = []
      const lastDay = Math.floor((to + clock.offsetAt(to)) / dayMs)
      for (let day = Math.floor((from + clock.offsetAt(from)) / dayMs); day <= lastDay; day++) {
        work.push(...bodies[i]!.planned.ofDay(day))
      }
      return work.filter((item) => item.from < to && item.until > from)
    },
  }
}
