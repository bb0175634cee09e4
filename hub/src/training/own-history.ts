import {
  closeAllQuarters,
  type FleetHistory,
  type ServerHistory,
} from '@harbinger/model-training/history/fleet-history'
import { lengthMissing } from '@harbinger/model-training/train/split-history'
import { metricNames } from '@harbinger/shared/metrics'
import type { ProfileRule } from '@harbinger/shared/profiles'
import {
  emptySeries,
  minuteMs,
  minutesPerQuarter,
  type Series,
  setMinute,
  setQuarter,
} from '@harbinger/shared/window/series'
import { openTiersToRead } from '../storage/read-tiers.ts'
import type { Server } from '../storage/server-store.ts'

export type OwnHistoryOptions = {
  /** The data folder of the hub. */
  readonly folder: string
  readonly profileRules?: readonly ProfileRule[]
  /** Nothing later is read (ms): a training that goes on after a restart learns from what it began with. */
  readonly until: number
  /** How far the minute tier reaches back. */
  readonly minuteDays: number
  /** Whether simulated servers may stand in where there is no other. */
  readonly simulated: boolean
  /** Minutes of all servers together; of a larger fleet some servers are left out. Default 4 million: 0.6 GB. */
  readonly maxMinutes?: number
  readonly onWarning?: ((sentence: string) => void) | undefined
}

const hourMinutes = 60
const dayMinutes = 24 * hourMinutes
/** The window looks back eight days by the quarter hour. */
const quartersBefore = 8 * 96
/** What retention lets go next is not begun with: it would be gone for a training that goes on later. */
const marginMinutes = 12 * hourMinutes

/** What this hub measured, as training reads it: minutes, and quarters for the days before; no simulated servers. */
export function readOwnHistory(options: OwnHistoryOptions): FleetHistory {
  const { folder, until, minuteDays, maxMinutes = 4_000_000, onWarning } = options
  const { servers, rollups, close } = openTiersToRead(folder, options.profileRules)
  try {
    const measured = [...servers.everyone()].flatMap((server) => {
      const { first, last } = rollups.minuteBounds(server.id)
      return first === null || last === null ? [] : [{ server, first, last }]
    })
    const real = measured.filter(({ server }) => !server.simulated)
    if (measured.length === 0)
      throw new Error(`no server has sent a reading to the hub of ${folder} yet`)
    if (real.length === 0 && !options.simulated) {
      throw new Error(
        `all ${measured.length} servers of ${folder} are simulated: a model of them says nothing of real ones. ` +
          'Train on real servers, or on these on purpose with --simulated',
      )
    }
    const isShort = lengthMissing({ name: 'real servers', ...spanOf(real) })
    // In the demo the agent of this machine is real from the first minute, and long has too little to learn from.
    const simulated = measured.filter(({ server }) => server.simulated)
    const isSimulated = options.simulated && isShort !== undefined && simulated.length > 0
    if (isSimulated && real.length > 0) onWarning?.(`${isShort}; simulated servers are learnt from`)
    const fleet = isSimulated ? simulated : real
    const end = Math.min(
      Math.floor(until / minuteMs),
      Math.max(...fleet.map(({ last }) => last)) + 1,
    )
    const oldest = Math.floor(until / minuteMs) - minuteDays * dayMinutes + marginMinutes
    const begin = Math.max(oldest, Math.min(...fleet.map(({ first }) => first)))
    const from = Math.ceil(begin / hourMinutes) * hourMinutes
    const name = isSimulated ? 'own history, simulated' : 'own history'
    if (end - from < hourMinutes) {
      throw new Error(`${name}: less than an hour was measured, 36 h are needed: 36 h more`)
    }
    const room = Math.max(1, Math.floor(maxMinutes / (end - from)))
    const chosen = room < fleet.length ? spread(fleet, room) : fleet
    if (chosen.length < fleet.length) {
      onWarning?.(
        `${name}: ${fleet.length} servers over ${((end - from) / dayMinutes).toFixed(1)} days are more than fit into memory; ` +
          `${chosen.length} of them are learnt from, of each profile its share`,
      )
    }
    const histories = chosen.map(({ server }) => toHistory(server, rollups, { from, end }))
    const seen = new Set<number>()
    for (const { series } of histories) noteMetrics(series, seen)
    return {
      name,
      simulated: isSimulated,
      servers: histories.filter(({ series }) => series.lastSampleAt >= 0),
      from: from * minuteMs,
      to: end * minuteMs,
      intervalMinutes: Math.max(1, ...histories.map(({ series }) => series.intervalMinutes)),
      metrics: metricNames.filter((_, i) => seen.has(i)),
    }
  } finally {
    close()
  }
}

/** From the first to the last minute of any of them (ms); nothing of none. */
function spanOf(of: readonly { readonly first: number; readonly last: number }[]) {
  if (of.length === 0) return { from: 0, to: 0 }
  const from = Math.min(...of.map(({ first }) => first))
  const to = Math.max(...of.map(({ last }) => last)) + 1
  return { from: from * minuteMs, to: to * minuteMs }
}

type Rollups = ReturnType<typeof openTiersToRead>['rollups']

function toHistory(
  { id, name, profile, cores, inventory }: Server,
  rollups: Rollups,
  { from, end }: { readonly from: number; readonly end: number },
): ServerHistory {
  const minutes = end - from + 1
  const series = emptySeries({
    minutes,
    quarters: Math.ceil(minutes / minutesPerQuarter) + 2 + quartersBefore,
  })
  const times: number[] = []
  rollups.eachMinute(id, { from, to: end }, (minute, rollup) => {
    setMinute(series, minute, rollup)
    times.push(minute)
  })
  const first = Math.floor(from / minutesPerQuarter)
  rollups.eachQuarter(id, { from: first - quartersBefore, to: first }, (quarter, { mean, known }) =>
    setQuarter(series, quarter, mean, known),
  )
  series.intervalMinutes = medianGap(times)
  closeAllQuarters(series)
  return { name, profile, cores, memoryBytes: inventory?.memoryBytes, series }
}

/** Minutes from one measured minute to the next, newest first; history that was imported may have longer steps. */
function medianGap(times: readonly number[]): number {
  if (times.length < 2) return 1
  const gaps = times.slice(1).map((at, i) => times[i]! - at)
  return Math.min(15, Float64Array.from(gaps).sort()[gaps.length >> 1]!)
}

/** `room` of the servers, of each profile its share, the same ones every time. */
function spread<T extends { readonly server: Server }>(fleet: readonly T[], room: number): T[] {
  const sorted = [...fleet].sort(
    (a, b) =>
      a.server.profile.localeCompare(b.server.profile) ||
      a.server.name.localeCompare(b.server.name),
  )
  return Array.from({ length: room }, (_, i) => sorted[Math.floor((i * sorted.length) / room)]!)
}

function noteMetrics({ count }: Series, seen: Set<number>): void {
  const width = metricNames.length
  for (let i = 0; i < count.length && seen.size < width; i++) if (count[i]! > 0) seen.add(i % width)
}
