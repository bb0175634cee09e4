import { fillTruth, truthBatch } from '@harbinger/model-training/windows/truth'
import { metricIndex, networkMetricNames } from '@harbinger/shared/metrics'
import { peakMinutes } from '@harbinger/shared/forecast/quantiles'
import { minuteCell, minuteMs, type Series } from '@harbinger/shared/window/series'
import { stepMinutes, V } from '@harbinger/shared/window/window-batch'
import { loggedLeads } from '../storage/forecast-log-body.ts'

/** What each part of a forecast points at, in minutes from its window's end. */
export const parts = [
  ...loggedLeads.map((lead) => ({ from: lead, to: lead + stepMinutes, peak: undefined })),
  ...peakMinutes.map((minutes, peak) => ({ from: 0, to: minutes, peak })),
] as const

/** A minute may be corrected for so long after its end: samples arrive late by their interval and by a clock's skew. */
export const graceMinutes = 6
/**
 * How long a part that was not fully measured waits for late data: an agent keeps what a hub that is away for a day
 * did not acknowledge, and needs a while to send it.
 */
export const patienceMinutes = 26 * 60

export const isOver = (windowEnd: number, part: number, now: number): boolean =>
  windowEnd + (parts[part]!.to + graceMinutes) * minuteMs <= now
export const isGivenUp = (windowEnd: number, part: number, now: number): boolean =>
  windowEnd + (parts[part]!.to + patienceMinutes) * minuteMs <= now

const batch = truthBatch(1)
const column = networkMetricNames.map((name) => metricIndex[name])

/**
 * What `series` measured where the parts of a forecast point at, as training takes its truth: NaN where nothing was
 * measured, or where `complete` is asked for and a minute is missing.
 */
export function readTruth(
  series: Series,
  {
    windowEnd,
    wanted,
    complete,
  }: {
    readonly windowEnd: number
    readonly wanted: readonly number[]
    readonly complete: boolean
  },
): Map<number, Float32Array> {
  fillTruth(batch, 0, { series, end: windowEnd })
  return new Map(
    wanted.map((part) => {
      const { from, to, peak } = parts[part]!
      const truth = new Float32Array(V).fill(NaN)
      for (let v = 0; v < V; v++) {
        const k = peak === undefined ? (from / stepMinutes) * V + v : peak * V + v
        const known = peak === undefined ? batch.truthKnown[k]! : batch.peakKnown[k]!
        if (known === 0) continue
        if (complete && !isWhole(series, column[v]!, { windowEnd, from, to })) continue
        truth[v] = peak === undefined ? batch.truth[k]! : batch.peakTruth[k]!
      }
      return [part, truth]
    }),
  )
}

function isWhole(
  series: Series,
  metric: number,
  { windowEnd, from, to }: { windowEnd: number; from: number; to: number },
): boolean {
  const start = windowEnd / minuteMs
  let measured = 0
  for (let m = start + from; m < start + to; m++) {
    const cell = minuteCell(series, m)
    if (cell >= 0 && series.count[cell + metric]! > 0) measured += series.intervalMinutes
  }
  return measured >= to - from
}
