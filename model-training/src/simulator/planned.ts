import type { Profile } from '@harbinger/shared/profiles'
import type { Condition } from './condition.ts'
import type { Levels } from './profile-levels.ts'
import { draws, smoothstep, unit } from './random.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** Work that looks alarming and is not: it was planned. `until` is the instant the server is itself again. */
export type PlannedWork = {
  readonly kind: 'backup' | 'deploy' | 'reboot'
  readonly from: number
  readonly until: number
}

const deploysWeekly: readonly Profile[] = [
  'web_api',
  'conductor_mgmt',
  'data_ingest',
  'risk_analytics',
  'generic',
]

/** Minutes a planned reboot takes; nothing is heard meanwhile. */
const rebootMinutes = 4

/** The planned work of one server; `utcOf` turns market-local time into UTC. */
export function plannedWork({
  seed,
  profile,
  utcOf,
}: {
  readonly seed: number
  readonly profile: Profile
  readonly utcOf: (localMs: number) => number
}) {
  const fixed = draws(seed, 0x91a, 0)
  const backupWeekday = profile === 'database' ? undefined : Math.floor(fixed.next() * 7)
  const deployWeekday = deploysWeekly.includes(profile) ? 1 + Math.floor(fixed.next() * 5) : NaN
  const rebootEvery = 21 + Math.floor(fixed.next() * 24)
  const rebootPhase = Math.floor(fixed.next() * rebootEvery)
  let cachedDay = NaN
  let cached: readonly PlannedWork[] = []

  const rebootAt = (day: number): number =>
    utcOf(day * dayMs + (2 + 2 * unit(seed, 0x92b, day)) * 60 * minuteMs)

  /** All work that begins on a market day; none crosses midnight. */
  const ofDay = (day: number): readonly PlannedWork[] => {
    if (day === cachedDay) return cached
    cachedDay = day
    const { between } = draws(seed, 0x93c, day)
    const weekday = (((day + 4) % 7) + 7) % 7
    const work: PlannedWork[] = []
    const add = (kind: PlannedWork['kind'], hour: number, minutes: number) => {
      const from = Math.round(utcOf(day * dayMs + hour * 60 * minuteMs))
      work.push({ kind, from, until: from + Math.round(minutes * minuteMs) })
    }
    const backupHour = between(0.5, 3.5)
    const backupMinutes = between(25, 70)
    const deployHour = between(10, 15.5)
    if (backupWeekday === undefined || backupWeekday === weekday) {
      add('backup', backupHour, backupMinutes)
    }
    if (deployWeekday === weekday) add('deploy', deployHour, 16)
    if (day % rebootEvery === rebootPhase) {
      const from = Math.round(rebootAt(day))
      work.push({ kind: 'reboot', from, until: from + rebootMinutes * minuteMs })
    }
    cached = work
    return work
  }

  return {
    ofDay,
    /** When the server last came back from a planned reboot. */
    bootBefore(at: number, day: number): number {
      let last = day - ((((day - rebootPhase) % rebootEvery) + rebootEvery) % rebootEvery)
      let boot = rebootAt(last) + rebootMinutes * minuteMs
      if (boot > at) {
        last -= rebootEvery
        boot = rebootAt(last) + rebootMinutes * minuteMs
      }
      return boot
    },
  }
}

/** Changes `c` to what a server at such work looks like. */
export function applyPlanned(
  c: Condition,
  work: PlannedWork,
  { at, levels, seed }: { at: number; levels: Levels; seed: number },
): void {
  if (at < work.from || at >= work.until) return
  const minute = (at - work.from) / minuteMs
  const left = (work.until - at) / minuteMs
  if (work.kind === 'reboot') {
    c.dead = true
    return
  }
  if (work.kind === 'backup') {
    const w = smoothstep(minute / 6) * smoothstep(left / 6)
    const size = unit(seed, 0x94d, work.from)
    const isHeavy = levels.prefix === 'ppdb'
    const iowait = levels.normalIowait * ((isHeavy ? 1.35 : 0.6) + 0.3 * size)
    const blocked = Math.min(0.9, iowait / Math.max(20, 100 - c.user - c.sys))
    c.blocked += w * Math.max(0, blocked - c.blocked)
    c.netOut += w * (60 + 160 * size)
    c.sys += w * 3
    return
  }
  // A deploy: traffic is drained for 4 minutes, the service starts again, and warms up until minute 14.
  const drained = smoothstep(minute / 3) * smoothstep((6 - minute) / 2)
  const warm = smoothstep((minute - 4) / 2) * smoothstep((14 - minute) / 6)
  const gone = smoothstep((minute - 2) / 2) * smoothstep((15 - minute) / 10)
  c.user *= 1 - 0.7 * drained
  c.netIn *= 1 - 0.8 * drained
  c.netOut *= 1 - 0.8 * drained
  c.user += 0.8 * warm * Math.max(0, 80 - c.user - c.sys)
  c.mem -= 0.2 * gone * c.mem
  c.front += warm * levels.front
}
