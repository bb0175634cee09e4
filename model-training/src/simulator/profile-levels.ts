import type { Profile } from '@harbinger/shared/profiles'

/** What a server of a profile does over a weekday on average, per 16-core server. */
export type Levels = {
  /** Name in front of the number, how many digits it has, and its share of a fleet of 90. */
  readonly prefix: string
  readonly digits: number
  readonly of90: number
  readonly memoryGiB: number
  /** % of all cores. */
  readonly user: number
  readonly sys: number
  readonly iowait: number
  /** Never more than user + sys. */
  readonly java: number
  readonly memory: number
  readonly swap: number
  readonly disk: number
  /** MB/s */
  readonly netIn: number
  readonly netOut: number
  /** Sockets in CLOSE_WAIT. */
  readonly back: number
  readonly front: number
  readonly load: number
  /** I/O wait at which this profile is no longer quite normal; faults and scenarios aim at multiples of it. */
  readonly normalIowait: number
  /** How restless demand is, as a share of it. */
  readonly restless: number
  /** Memory at which work stops being possible; memory faults climb past it. */
  readonly memoryLimit: number
}

export const profileLevels: { readonly [profile in Profile]: Levels } = {
  web_api: {
    ...{ prefix: 'ppweb', digits: 3, of90: 25, memoryGiB: 64 },
    ...{ user: 18, sys: 5, iowait: 3, java: 15, memory: 45, swap: 2, disk: 35 },
    ...{ netIn: 85, netOut: 120, back: 15, front: 12, load: 2.8 },
    ...{ normalIowait: 10, restless: 1, memoryLimit: 85 },
  },
  ml_compute: {
    ...{ prefix: 'ppml', digits: 4, of90: 20, memoryGiB: 256 },
    ...{ user: 45, sys: 8, iowait: 2, java: 22, memory: 72, swap: 5, disk: 55 },
    ...{ netIn: 8.5, netOut: 5.2, back: 2, front: 2, load: 6.5 },
    ...{ normalIowait: 10, restless: 1, memoryLimit: 98 },
  },
  database: {
    ...{ prefix: 'ppdb', digits: 3, of90: 15, memoryGiB: 256 },
    ...{ user: 25, sys: 12, iowait: 15, java: 10, memory: 68, swap: 3, disk: 70 },
    ...{ netIn: 35, netOut: 28, back: 8, front: 6, load: 4.2 },
    ...{ normalIowait: 20, restless: 0.7, memoryLimit: 98 },
  },
  data_ingest: {
    ...{ prefix: 'ppetl', digits: 3, of90: 10, memoryGiB: 128 },
    ...{ user: 35, sys: 10, iowait: 8, java: 30, memory: 62, swap: 4, disk: 65 },
    ...{ netIn: 150, netOut: 95, back: 10, front: 8, load: 5.5 },
    ...{ normalIowait: 15, restless: 0.8, memoryLimit: 90 },
  },
  risk_analytics: {
    ...{ prefix: 'pprisk', digits: 3, of90: 8, memoryGiB: 256 },
    ...{ user: 55, sys: 8, iowait: 2, java: 50, memory: 70, swap: 5, disk: 50 },
    ...{ netIn: 12, netOut: 8, back: 3, front: 2, load: 8.2 },
    ...{ normalIowait: 10, restless: 0.45, memoryLimit: 95 },
  },
  generic: {
    ...{ prefix: 'ppgen', digits: 3, of90: 7, memoryGiB: 32 },
    ...{ user: 12, sys: 4, iowait: 1, java: 8, memory: 35, swap: 1, disk: 30 },
    ...{ netIn: 15, netOut: 12, back: 2, front: 2, load: 1.5 },
    ...{ normalIowait: 10, restless: 1, memoryLimit: 95 },
  },
  conductor_mgmt: {
    ...{ prefix: 'ppcon', digits: 2, of90: 5, memoryGiB: 64 },
    ...{ user: 15, sys: 6, iowait: 2, java: 12, memory: 42, swap: 2, disk: 40 },
    ...{ netIn: 22, netOut: 18, back: 5, front: 4, load: 3.2 },
    ...{ normalIowait: 10, restless: 1, memoryLimit: 90 },
  },
}

/** The order of a fleet's servers. */
export const fleetOrder = Object.keys(profileLevels) as readonly Profile[]

/** How many servers of each profile a fleet of `servers` has: the mix of the 90, largest remainders first. */
export function fleetMix(servers: number): ReadonlyMap<Profile, number> {
  const shares = fleetOrder.map((profile) => (servers * profileLevels[profile].of90) / 90)
  const counts = shares.map(Math.floor)
  const byRemainder = shares
    .map((share, p) => ({ p, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || a.p - b.p)
  let left = servers - counts.reduce((sum, n) => sum + n, 0)
  for (const { p } of byRemainder) {
    if (left-- <= 0) break
    counts[p] = counts[p]! + 1
  }
  return new Map(fleetOrder.map((profile, p) => [profile, counts[p]!]))
}
