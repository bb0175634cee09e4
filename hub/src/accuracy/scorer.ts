import { emptySeries, minuteMs, type Series, setMinute } from '@harbinger/shared/window/series'
import { horizonSteps, stepMinutes } from '@harbinger/shared/window/window-batch'
import type { LogRow, Score } from '../storage/forecast-log-store.ts'
import type { HubStores } from '../storage/stores.ts'
import { inSlices } from '../window/slices.ts'
import { isGivenUp, isOver, parts, patienceMinutes, readTruth } from './matured.ts'
import { scoredBefore } from './sums.ts'

/** Every server's forecasts are looked at once in so many minutes. */
export const roundMinutes = 15
const horizonMinutes = horizonSteps * stepMinutes
/** Older forecasts have all their scores. */
const oldestMinutes = horizonMinutes + patienceMinutes + 2 * roundMinutes

export type Scored = { readonly score: Score; readonly row: LogRow }

/**
 * The scores that have come due by `at`, in the order of the log. A part is scored when all that it points at is
 * measured, and what is missing then is waited for as long as an agent may still send it.
 */
export async function dueScores(
  { servers, forecastLog, rollups }: Pick<HubStores, 'servers' | 'forecastLog' | 'rollups'>,
  { at, series }: { readonly at: number; readonly series: (serverId: number) => Series },
): Promise<Scored[]> {
  const minute = Math.floor(at / minuteMs)
  const due = [...servers.everyone()].filter(
    ({ id }) => id % roundMinutes === minute % roundMinutes,
  )
  const scored: Scored[] = []
  await inSlices(due, ({ id }) => {
    for (const entry of forecastLog.ofServer(id, at - oldestMinutes * minuteMs)) {
      const wanted = [...parts.keys()].filter((part) => {
        if (entry.done.has(`${part}:1`) || !isOver(entry.windowEnd, part, at)) return false
        return !entry.done.has(`${part}:0`) || isGivenUp(entry.windowEnd, part, at)
      })
      if (wanted.length === 0) continue
      const row = entry.read()
      const source = covering(series(id), row.windowEnd) ?? stored(rollups, id, row, series(id))
      scored.push(...scoresOf(row, { wanted, at, series: source, done: entry.done, forecastLog }))
    }
  })
  return scored.sort((a, b) => a.score.logId - b.score.logId || a.score.part - b.score.part)
}

function scoresOf(
  row: LogRow,
  {
    wanted,
    at,
    series,
    done,
    forecastLog,
  }: {
    wanted: readonly number[]
    at: number
    series: Series
    done: ReadonlySet<string>
    forecastLog: Pick<HubStores['forecastLog'], 'scoresOf'>
  },
): Scored[] {
  const { id: logId, windowEnd } = row
  const late = wanted.filter((part) => isGivenUp(windowEnd, part, at))
  const whole = readTruth(series, { windowEnd, wanted, complete: true })
  const rest = readTruth(series, { windowEnd, wanted: late, complete: false })
  const earlier = late.some((part) => done.has(`${part}:0`)) ? forecastLog.scoresOf(logId) : []
  return wanted.flatMap((part): Scored[] => {
    const truth = rest.get(part) ?? whole.get(part)!
    const before = earlier.find((score) => score.part === part)
    if (before) {
      before.truth.forEach((value, v) => {
        if (!Number.isNaN(value)) truth[v] = scoredBefore
      })
    }
    const isKnown = (_: unknown, v: number): boolean => !row.metrics[v] || !Number.isNaN(truth[v]!)
    const final = rest.has(part) || row.metrics.every(isKnown) ? 1 : 0
    if (final === 0 && truth.every((value, v) => Number.isNaN(value) || !row.metrics[v])) return []
    return [{ score: { logId, part, final, scoredAt: at, truth }, row }]
  })
}

/** The series itself when it still has every minute since `windowEnd`. */
const covering = (series: Series, windowEnd: number): Series | undefined =>
  windowEnd / minuteMs > series.lastMinute - series.minuteCapacity ? series : undefined

function stored(
  rollups: HubStores['rollups'],
  serverId: number,
  { windowEnd }: LogRow,
  { intervalMinutes }: Series,
): Series {
  const from = windowEnd / minuteMs
  const series = emptySeries({ minutes: horizonMinutes + 1, quarters: 1, intervalMinutes })
  rollups.eachMinute(serverId, { from, to: from + horizonMinutes }, (minute, rollup) =>
    setMinute(series, minute, rollup),
  )
  return series
}
