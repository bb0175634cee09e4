import type { Condition } from './condition.ts'
import { dependsOn } from './dependencies.ts'
import type { Fault, FaultKind } from './faults.ts'
import type { Profile } from '@harbinger/shared/profiles'
import type { Levels } from './profile-levels.ts'
import { hash32, smoothstep, unit } from './random.ts'

/** What the demo can be told to show. */
export const scenarios = ['healthy', 'degrading', 'critical', 'cascade'] as const
export type Scenario = (typeof scenarios)[number]

/** How fast what was there before a scenario calms down. */
export const calmingMs = 90_000

/** What a server does in a scenario. */
type Part = {
  readonly index: number
  /**
   * contended: a slow disk, nothing at its limit. straining: cores and disk near theirs. collapsing: everything at its
   * limit. stalled: waits for one that collapsed.
   */
  readonly role: 'contended' | 'straining' | 'collapsing' | 'stalled'
  readonly from: number
  readonly full: number
  readonly cascadeOf?: number
}

export type Cast = {
  readonly at: number
  /** By server; undefined for one that stays healthy. */
  readonly parts: readonly (Part | undefined)[]
  /** When the next scenario began. */
  until: number
}

type CastOptions = {
  readonly seed: number
  readonly at: number
  readonly profiles: readonly Profile[]
  readonly needs: readonly (readonly number[])[]
  /** 1 is live speed; 0.5 takes half as long. */
  readonly pace: number
}

const degradingShare = 0.2
const criticalShare = 0.36

/** Chooses who plays which part from the seed. */
export function castScenario(scenario: Scenario, options: CastOptions): Cast {
  const { seed, at, profiles, needs, pace } = options
  const parts: (Part | undefined)[] = profiles.map(() => undefined)
  const key = hash32(seed, 0x5ce, scenarios.indexOf(scenario))
  const order = profiles
    .map((_, i) => i)
    .sort((a, b) => hash32(key, 1, a) - hash32(key, 1, b) || a - b)
  const play = (
    index: number,
    role: Part['role'],
    { delayMs, riseMs, cascadeOf }: { delayMs: number; riseMs: number; cascadeOf?: number },
  ): void => {
    if (parts[index]) return
    const from = at + delayMs * pace
    const origin = cascadeOf === undefined ? {} : { cascadeOf }
    parts[index] = { index, role, from, full: from + riseMs * pace, ...origin }
  }
  const drawn = (index: number, low: number, high: number): number =>
    low + (high - low) * unit(key, 2, index)

  if (scenario === 'degrading') {
    for (const i of order.slice(0, Math.round(profiles.length * degradingShare))) {
      play(i, 'contended', { delayMs: drawn(i, 0, 110_000), riseMs: drawn(i, 90_000, 150_000) })
    }
  }
  if (scenario === 'critical') {
    for (const i of order.slice(0, Math.ceil(profiles.length * criticalShare))) {
      // Training servers are at home with busy cores; what hurts them is memory.
      const strains = profiles[i] !== 'ml_compute' && unit(key, 3, i) < 0.5
      const role = strains ? 'straining' : 'collapsing'
      play(i, role, { delayMs: drawn(i, 0, 20_000), riseMs: drawn(i, 55_000, 75_000) })
    }
  }
  if (scenario === 'cascade') {
    const databases = order.filter((i) => profiles[i] === 'database').slice(0, 2)
    const origins = databases.length > 0 ? databases : order.slice(0, 2)
    origins.forEach((i) => play(i, 'collapsing', { delayMs: 0, riseMs: drawn(i, 45_000, 60_000) }))
    for (const i of order) {
      const cascadeOf = needs[i]!.find((needed) => origins.includes(needed))
      if (cascadeOf === undefined) continue
      const riseMs = drawn(i, 60_000, 100_000)
      play(i, 'stalled', { delayMs: drawn(i, 30_000, 130_000), riseMs, cascadeOf })
    }
    for (const i of order) {
      if (!dependsOn[profiles[i]!]?.includes('conductor_mgmt')) continue
      const through = needs[i]!.find((needed) => parts[needed]?.role === 'stalled')
      if (through === undefined || drawn(i, 0, 1) < 0.5) continue
      const { from: first, cascadeOf } = parts[through]!
      const delayMs = first - at + drawn(i, 60_000, 150_000) * pace
      play(i, 'stalled', {
        delayMs: delayMs / pace,
        riseMs: 90_000,
        ...(cascadeOf === undefined ? {} : { cascadeOf }),
      })
    }
  }
  return { at, parts, until: Number.POSITIVE_INFINITY }
}

/** How much of a server's part shows: it rises smoothly, and fades when the next scenario begins. */
export function shownOf(cast: Cast, part: Part, at: number): number {
  const w = smoothstep((Math.min(at, cast.until) - part.from) / (part.full - part.from))
  return at <= cast.until ? w : w * (1 - smoothstep((at - cast.until) / calmingMs))
}

/** Draws `c` towards what the part looks like. */
export function applyPart(
  c: Condition,
  part: Part,
  { w, levels, seed }: { w: number; levels: Levels; seed: number },
): void {
  if (w <= 0) return
  const own = unit(seed, 0x7a11, part.index)
  if (part.role === 'contended') {
    // Tasks that wait for a disk do not use a core: the more I/O wait, the less is computed.
    const iowait = levels.normalIowait * (2.35 + 0.2 * own)
    share(c, w, { busy: Math.min(c.user + c.sys, 66 - iowait), iowait })
    c.back += w * (50 + 5.5 * levels.back + 12 * own)
    c.queue += w * 0.4
  } else if (part.role === 'straining') {
    const iowait = levels.normalIowait * (2.4 + 0.2 * own)
    share(c, w, { busy: 96.8 - iowait, iowait })
    c.queue += w * (1.5 + 0.3 * own)
    c.netOut *= 1 - 0.3 * w
  } else if (part.role === 'collapsing') {
    const iowait = levels.normalIowait * (3.4 + 0.1 * own)
    share(c, w, { busy: 99.2 - iowait, iowait })
    c.mem += w * Math.max(0, Math.min(99.2, levels.memoryLimit + 2) - c.mem)
    c.swap += w * (20 + 30 * own)
    c.back += w * 10 * levels.back
    c.queue += w * (2.6 + own)
    c.netOut *= 1 - 0.5 * w
  } else {
    c.user *= 1 - 0.45 * w
    c.netOut *= 1 - 0.5 * w
    c.back += w * (levels.back * 60 + 200 + 120 * own)
    c.front += w * (levels.front * 8 + 40)
    c.queue += w * (3.4 + own)
  }
}

/** Makes the cores `w` of the way `busy` and waiting for disks `iowait` % of the time. */
function share(c: Condition, w: number, to: { busy: number; iowait: number }): void {
  const asked = c.user + c.sys
  const scale = asked > 0 ? (asked + w * (to.busy - asked)) / asked : 1
  c.user *= scale
  c.sys *= scale
  const blocked = to.iowait / (100 - to.busy)
  c.blocked += w * (blocked - c.blocked)
}

const kindOf: { readonly [role in Part['role']]: FaultKind } = {
  contended: 'io_saturation',
  straining: 'io_saturation',
  collapsing: 'io_saturation',
  stalled: 'dependency_stall',
}

/** The ground truth of a scenario. */
export function faultsOfCast(cast: Cast, names: readonly string[]): readonly Fault[] {
  return cast.parts.flatMap((part) => {
    if (!part || part.from >= cast.until) return []
    const cascadeOf = part.cascadeOf === undefined ? {} : { cascadeOf: names[part.cascadeOf]! }
    return [
      {
        server: names[part.index]!,
        index: part.index,
        kind: kindOf[part.role],
        onset: part.from,
        peak: Math.min(part.full, cast.until),
        relief: cast.until,
        end: cast.until + calmingMs,
        strength: part.role === 'contended' ? 0.3 : 1,
        course: 's_curve' as const,
        heldOut: false,
        scenario: true as const,
        ...cascadeOf,
      },
    ]
  })
}
