import { metricIndex, networkMetricNames } from '@harbinger/shared/metrics'
import { minuteCell, minuteMs, type Series } from '@harbinger/shared/window/series'
import { abstainReason, fillWindow } from '@harbinger/shared/window/window'
import type { WindowBatch } from '@harbinger/shared/window/window-batch'
import type { ServerHistory } from '../history/fleet-history.ts'

const column = networkMetricNames.map((name) => metricIndex[name])

/**
 * The series as it stood at `now`, in the eyes of the window: it ends with the last sample before `now`, and nothing
 * older than `historyMinutes` exists. The cells are shared, the window reads none after `now`.
 */
export function seriesAsOf(series: Series, now: number, historyMinutes = Infinity): Series {
  const end = Math.floor(now / minuteMs)
  let last = end - 1
  while (last >= series.firstMinute && !isMeasured(series, last)) last--
  return {
    ...series,
    firstMinute: Math.max(series.firstMinute, end - historyMinutes),
    lastSampleAt: last < series.firstMinute ? -1 : last * minuteMs,
  }
}

function isMeasured(series: Series, minute: number): boolean {
  const cell = minuteCell(series, minute)
  return cell >= 0 && column.some((c) => series.count[cell + c]! > 0)
}

export type Cut = {
  readonly server: ServerHistory
  readonly now: number
  /** Older history is hidden; default: all there is. */
  readonly historyMinutes?: number | undefined
  /** Hides what the server is; default: the window says what the history says. */
  readonly unknownProfile?: boolean
  readonly unknownHardware?: boolean
}

/**
 * Cuts the window of one server at one instant out of a whole history, as the live hub would have seen it then.
 * Undefined when the hub would have abstained, else the window's end.
 */
export function cutWindow(
  batch: WindowBatch,
  row: number,
  { server, now, historyMinutes, unknownProfile = false, unknownHardware = false }: Cut,
): number | undefined {
  const series = seriesAsOf(server.series, now, historyMinutes)
  if (abstainReason(series, now) !== undefined) return undefined
  const context = {
    profile: unknownProfile ? undefined : server.profile,
    cores: unknownHardware ? undefined : server.cores,
    memoryBytes: unknownHardware ? undefined : server.memoryBytes,
  }
  return fillWindow(batch, row, { series, now, context })
}
