import type { Inventory } from '@harbinger/shared/sample'
import type { Profile } from '@harbinger/shared/profiles'
import { productVersion } from '@harbinger/shared/version'
import { fleetMix, type Levels, profileLevels } from './profile-levels.ts'
import { draws, hash32 } from './random.ts'

export type SimulatedServer = {
  readonly name: string
  readonly profile: Profile
  readonly cores: number
  readonly memoryBytes: number
  /** Says that the server is simulated. */
  readonly inventory: Inventory
}

/** What makes one server differ from the next of its profile, for as long as it lives. */
export type Traits = {
  readonly seed: number
  readonly levels: Levels
  /** Means of this server, in the units of `Levels`. */
  readonly user: number
  readonly sys: number
  /** Share of the time no core is busy in which a task waits for a disk, 0 … 1. */
  readonly blocked: number
  readonly javaShare: number
  readonly memory: number
  readonly swap: number
  readonly disk: number
  readonly netIn: number
  readonly netOut: number
  readonly back: number
  readonly front: number
  /** Runnable tasks per busy core: short sleeps and interrupt time keep it below 1. */
  readonly runnable: number
  /** How much of the profile's daily shape shows, 0 … 1. */
  readonly rhythm: number
  readonly restless: number
  /** How far memory follows demand. */
  readonly memorySwing: number
}

/** How far servers of a profile lie from its mean demand: those that run hot are alike, or they would not do. */
const demandSpread = (levels: Levels): number => 0.1 * levels.restless

/**
 * I/O wait falls when cores are busy and rises with demand; the product of the two means is not the mean of the
 * product. Found by running a weekday of 90 servers.
 */
const blockedCorrection = 1.06

export function fleetServers(
  seed: number,
  servers: number,
): { readonly server: SimulatedServer; readonly rank: number; readonly of: number }[] {
  return [...fleetMix(servers)].flatMap(([profile, count]) =>
    Array.from({ length: count }, (_, rank) => ({
      server: simulatedServer(seed, profile, rank),
      rank,
      of: count,
    })),
  )
}

function simulatedServer(seed: number, profile: Profile, rank: number): SimulatedServer {
  const { prefix, digits, memoryGiB } = profileLevels[profile]
  const name = `${prefix}${String(rank + 1).padStart(digits, '0')}`
  const { next, pick } = draws(seed, textHash(name), 1)
  const sizes = [0.5, 2, 1, 1, 1, 1, 1]
  const size = next() < 0.5 ? 1 : pick(sizes)
  const cores = 16 * size
  const memoryBytes = memoryGiB * size * 2 ** 30
  return {
    name,
    profile,
    cores,
    memoryBytes,
    inventory: {
      agentVersion: productVersion,
      simulated: true,
      profile,
      os: 'Simulated Linux',
      kernel: 'simulated',
      cpuModel: 'simulated',
      cores,
      memoryBytes,
      watchedFileSystem: '/data',
      swap: true,
      tags: ['simulated', pick(['east', 'west'])],
    },
  }
}

/** Traits of the `rank`th of `of` servers: spread evenly, so that a profile's mean is its table's at any size. */
export function busyTraits(
  seed: number,
  { server, rank, of }: { server: SimulatedServer; rank: number; of: number },
): Traits {
  const levels = profileLevels[server.profile]
  const own = hash32(seed, textHash(server.name), 2)
  const { between } = draws(own, 3, 0)
  const even = (turn: number): number => (2 * (((rank * turn) % of) + 0.5)) / of - 1
  const demand = 1 + demandSpread(levels) * even(1)
  const { user, sys, iowait } = levels
  const cpu = user + sys + iowait
  return {
    seed: own,
    levels,
    user: user * demand,
    sys: sys * demand,
    blocked: ((iowait * blockedCorrection) / (100 - user - sys)) * (1 - 0.1 * even(1)),
    javaShare: levels.java / (user + sys),
    memory: levels.memory * (1 + 0.06 * even(1)),
    swap: levels.swap * between(0.6, 1.4),
    disk: levels.disk * (1 + 0.12 * even(1)),
    netIn: levels.netIn * demand,
    netOut: levels.netOut * demand,
    back: levels.back,
    front: levels.front,
    runnable: (levels.load * 100) / (16 * cpu),
    rhythm: 1,
    restless: levels.restless,
    memorySwing: 0.06,
  }
}

/** The other kind of fleet, as measured on real ones: idle 74–99, I/O wait 0–3, memory 4–20, swap 5–26. */
export function calmTraits(seed: number, server: SimulatedServer): Traits {
  const levels = profileLevels[server.profile]
  const own = hash32(seed, textHash(server.name), 4)
  const { between, spread, next } = draws(own, 5, 0)
  const user = spread(0.4, 16)
  const sys = Math.max(0.2, user * between(0.15, 0.45))
  return {
    seed: own,
    levels,
    user,
    sys,
    blocked: next() < 0.3 ? 0.0005 : spread(0.001, 0.03),
    javaShare: next() < 0.25 ? 0 : between(0.1, 0.95),
    memory: between(4, 20),
    swap: between(5, 26),
    disk: between(10, 75),
    netIn: levels.netIn * spread(0.01, 0.4),
    netOut: levels.netOut * spread(0.01, 0.4),
    back: between(0, 3),
    front: between(0, 2),
    runnable: between(0.6, 1.1),
    rhythm: between(0.05, 0.9),
    restless: between(1, 3),
    memorySwing: between(0, 0.04),
  }
}

/** FNV-1a. */
export function textHash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
