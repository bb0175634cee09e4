import type { Sample } from '@harbinger/shared/sample'
import { contractVersion } from '@harbinger/shared/version'
import type { SimulatedFleet } from './fleet.ts'
import { hash32, smoothNoise, unit } from './random.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** One sample as the hub gets it, and when. */
export type Delivery = {
  readonly server: string
  readonly index: number
  readonly sample: Sample
  /** On the hub's clock, ms; samples wait out a broken connection. */
  readonly arrivesAt: number
}

/** How often telemetry fails; every share is 0 … 1. */
export type Imperfections = {
  readonly jitterMs: number
  /** Samples that were never taken. */
  readonly lost: number
  /** Of a server's hours, in which the agent stops and starts again: half a minute to five minutes of nothing. */
  readonly restartsPerHour: number
  /** Of a server's hours, in which the connection breaks for up to twenty minutes; samples come late. */
  readonly breaksPerHour: number
  /** Samples that arrive twice. */
  readonly duplicated: number
  /** Servers whose clock is wrong, by up to `skewMs` either way. */
  readonly skewed: number
  readonly skewMs: number
  /** Servers that join, or leave for good, within the first `joinHours` hours. */
  readonly joining: number
  readonly leaving: number
  readonly joinHours: number
}

export const realisticTelemetry: Imperfections = {
  jitterMs: 400,
  lost: 0.001,
  restartsPerHour: 0.004,
  breaksPerHour: 0.006,
  duplicated: 0.002,
  skewed: 0.05,
  skewMs: 90_000,
  joining: 0.03,
  leaving: 0.02,
  joinHours: 24,
}

export type TelemetryOptions = {
  readonly seed: number
  readonly startAt: number
  readonly intervalMs?: number
  readonly imperfections?: Partial<Imperfections>
}

/**
 * The fleet as it reaches a hub: samples on the wire, some of them late, twice or never. `seq` counts the intervals
 * since the start, so it survives restarts and a sample never taken leaves a hole in it.
 */
export function telemetry(fleet: SimulatedFleet, options: TelemetryOptions) {
  const { seed, startAt, intervalMs = 10_000 } = options
  const how = { ...realisticTelemetry, ...options.imperfections }
  const agents = fleet.servers.map((_, i) => agentOf(hash32(seed, 0xa9e27, i), { startAt, how }))
  let tick = 0
  let waiting: Delivery[] = []

  function take(index: number, due: number, seq: number): void {
    const agent = agents[index]!
    const server = fleet.servers[index]!
    const taken = Math.round(due + agent.jitter(due))
    if (due < agent.joins || due >= agent.leaves || agent.isDown(due)) return
    if (unit(agent.key, 1, seq) < how.lost) return
    const m = fleet.readingsAt(index, taken)
    if (!m) return
    const at = taken + agent.skewMs
    const sample: Sample = { v: contractVersion, seq, at, cores: server.cores, m }
    const arrivesAt = Math.max(
      taken + 5 + Math.round(40 * unit(agent.key, 2, seq)),
      agent.heard(due),
    )
    const delivery = { server: server.name, index, sample, arrivesAt }
    waiting.push(delivery)
    if (unit(agent.key, 3, seq) < how.duplicated) {
      waiting.push({ ...delivery, arrivesAt: arrivesAt + 1000 })
    }
  }

  return {
    /** Everything that arrives up to `now` and was not handed out yet, in order of arrival. */
    until(now: number): Delivery[] {
      for (let due = startAt + tick * intervalMs; due <= now; due = startAt + ++tick * intervalMs) {
        for (let index = 0; index < agents.length; index++) take(index, due, tick)
      }
      const arrived = waiting.filter(({ arrivesAt }) => arrivesAt <= now)
      waiting = waiting.filter(({ arrivesAt }) => arrivesAt > now)
      return arrived.sort((a, b) => a.arrivesAt - b.arrivesAt || a.index - b.index)
    },
  }
}

function agentOf(key: number, { startAt, how }: { startAt: number; how: Imperfections }) {
  const chance = (n: number): number => unit(key, 4, n)
  const jitter = smoothNoise(key, 5, 7_000)
  const inFirstHours = (n: number) => startAt + chance(n) * how.joinHours * hourMs
  /** A span that begins in an hour with the given chance; it ends within the hour. */
  const spanOf = (due: number, { channel, share, longestMs }: Span) => {
    const hour = Math.floor(due / hourMs)
    if (unit(key, channel, hour) >= share) return undefined
    const ms = 30_000 + unit(key, channel + 1, hour) * (longestMs - 30_000)
    const from = hour * hourMs + unit(key, channel + 2, hour) * (hourMs - ms)
    return due >= from && due < from + ms ? { to: Math.round(from + ms) } : undefined
  }
  return {
    key,
    jitter: (due: number): number => how.jitterMs * jitter(due),
    skewMs: chance(0) < how.skewed ? Math.round((2 * chance(1) - 1) * how.skewMs) : 0,
    joins: chance(2) < how.joining ? inFirstHours(3) : -Infinity,
    leaves: chance(4) < how.leaving ? inFirstHours(5) : Infinity,
    isDown: (due: number): boolean =>
      !!spanOf(due, { channel: 10, share: how.restartsPerHour, longestMs: 5 * minuteMs }),
    /** When what is taken at `due` gets through at the earliest. */
    heard: (due: number): number =>
      spanOf(due, { channel: 20, share: how.breaksPerHour, longestMs: 20 * minuteMs })?.to ?? due,
  }
}

type Span = { readonly channel: number; readonly share: number; readonly longestMs: number }
