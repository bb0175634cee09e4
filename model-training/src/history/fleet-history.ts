import { type MetricName, metricIndex, metricNames } from '@harbinger/shared/metrics'
import { type Profile, profiles } from '@harbinger/shared/profiles'
import {
  addValues,
  closeQuarter,
  emptySeries,
  minuteMs,
  minuteOf,
  minutesPerQuarter,
  type Series,
} from '@harbinger/shared/window/series'
import type { HistoryChunk } from './history-chunk.ts'

/** All that a history says of one server. */
export type ServerHistory = {
  readonly name: string
  readonly profile: Profile | undefined
  readonly cores: number | undefined
  readonly memoryBytes?: number | undefined
  readonly series: Series
}

/** A whole history in memory, one series per server, as backtest and training read it. */
export type FleetHistory = {
  readonly name: string
  readonly simulated: boolean
  readonly servers: readonly ServerHistory[]
  /** First and last instant of the history. */
  readonly from: number
  readonly to: number
  readonly intervalMinutes: number
  readonly metrics: readonly MetricName[]
}

/** Minute rollups cost 140 bytes each; more servers × minutes than this and the oldest are left out. */
const mostMinutes = 10_000_000
const maxStepMs = 15 * minuteMs

/** Reads a history to its end and builds one series per server; of a very long one, the newest part. */
export async function toFleetHistory(
  chunks: AsyncIterable<HistoryChunk>,
  {
    name,
    onWarning,
    maxMinutes = mostMinutes,
  }: {
    readonly name: string
    readonly onWarning?: ((sentence: string) => void) | undefined
    /** Minutes of all servers together; of a longer history the oldest are left out. Default 10 million. */
    readonly maxMinutes?: number | undefined
  },
): Promise<FleetHistory> {
  const kept: HistoryChunk[] = []
  let from = Infinity
  let to = -Infinity
  for await (const chunk of chunks) {
    kept.push(chunk)
    for (const at of chunk.at) {
      if (at < from) from = at
      if (at > to) to = at
    }
  }
  const last = kept.at(-1)
  if (!last) throw new Error(`${name}: the history has no rows`)
  const intervalMinutes = medianStepMinutes(kept)
  const room = Math.floor(maxMinutes / last.serverNames.length)
  if (minuteOf(to) - minuteOf(from) >= room) {
    from = (minuteOf(to) - room + 1) * minuteMs
    onWarning?.(
      `${name}: ${last.serverNames.length} servers leave room for ${Math.floor(room / 1440)} days; older rows are left out`,
    )
  }
  const servers = last.serverNames.map((server) =>
    openServer(server, { from, to, intervalMinutes }),
  )
  for (const chunk of kept) addChunk(servers, chunk, from)
  for (const { series } of servers) closeAllQuarters(series)
  return {
    name,
    simulated: false,
    servers: servers.filter(({ series }) => series.lastSampleAt >= 0),
    from,
    to,
    intervalMinutes,
    metrics: metricNames.filter((metric) =>
      kept.some(({ values }) => hasValue(values.get(metric))),
    ),
  }
}

type Mutable = { -readonly [key in keyof ServerHistory]: ServerHistory[key] }

/** A series with room for the whole span, so that any window of it can be cut later. */
export function spanSeries(from: number, to: number, intervalMinutes: number): Series {
  const minutes = minuteOf(to) - minuteOf(from) + 1
  return emptySeries({
    minutes,
    quarters: Math.ceil(minutes / minutesPerQuarter) + 2,
    intervalMinutes,
  })
}

export function closeAllQuarters(series: Series): void {
  if (series.firstMinute < 0) return
  const first = Math.floor(series.firstMinute / minutesPerQuarter)
  for (let quarter = first; quarter <= series.lastQuarter; quarter++) closeQuarter(series, quarter)
}

function openServer(
  name: string,
  { from, to, intervalMinutes }: { from: number; to: number; intervalMinutes: number },
): Mutable {
  const series = spanSeries(from, to, intervalMinutes)
  return { name, profile: undefined, cores: undefined, series }
}

function addChunk(servers: readonly Mutable[], chunk: HistoryChunk, from: number): void {
  const columns = [...chunk.values].map(([metric, values]) => ({ i: metricIndex[metric], values }))
  const row = new Float32Array(metricNames.length).fill(NaN)
  for (let r = 0; r < chunk.rows; r++) {
    const server = servers[chunk.server[r]!]!
    if (chunk.profile[r]! > 0) server.profile = profiles[chunk.profile[r]! - 1]
    if (chunk.cores[r]! > 0) server.cores = chunk.cores[r]!
    if (chunk.at[r]! < from) continue
    for (const { i, values } of columns) row[i] = values[r]!
    addValues(server.series, chunk.at[r]!, row)
  }
}

const hasValue = (values: Float32Array | undefined): boolean =>
  values?.some((value) => !Number.isNaN(value)) ?? false

/** Servers whose times are looked at to find the step of a history. */
const stepServers = 20

/** The median time from one row of a server to the next, at least a minute; throws beyond 15 minutes. */
function medianStepMinutes(chunks: readonly HistoryChunk[]): number {
  const times: number[][] = Array.from({ length: stepServers }, () => [])
  for (const { rows, server, at } of chunks) {
    for (let r = 0; r < rows; r++) {
      if (server[r]! < stepServers) times[server[r]!]!.push(at[r]!)
    }
  }
  const gaps: number[] = []
  for (const own of times) {
    const sorted = Float64Array.from(own).sort()
    for (let i = 1; i < sorted.length; i++) gaps.push(sorted[i]! - sorted[i - 1]!)
  }
  if (gaps.length === 0) return 1
  const median = Float64Array.from(gaps).sort()[gaps.length >> 1]!
  if (median > maxStepMs) {
    throw new Error(
      `column timestamp: the usual step is ${Math.round(median / minuteMs)} minutes, expected at most 15`,
    )
  }
  return Math.max(1, Math.round(median / minuteMs))
}
