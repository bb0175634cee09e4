import { describe, expect, test } from 'vitest'
import { networkMetricNames } from '../metrics.ts'
import { addSample, closeQuarter, emptySeries, minuteMs, type Series } from './series.ts'
import { abstainReason, fillWindow } from './window.ts'
import { historySteps as T, horizonSteps as F, V, windowBatch } from './window-batch.ts'

const dayMs = 1440 * minuteMs
const t0 = Date.UTC(2025, 0, 6)
const v = networkMetricNames.indexOf('cpu_iowait_pct')

/** A server measured every minute from `from` up to `to`, with the value of `read`. */
function measured(
  from: number,
  to: number,
  read: (at: number) => number | undefined,
  intervalMinutes = 1,
): Series {
  const series = emptySeries({
    minutes: Math.ceil((to - from) / minuteMs) + 1,
    quarters: 2000,
    intervalMinutes,
  })
  for (let at = from; at < to; at += intervalMinutes * minuteMs) {
    const value = read(at)
    if (value !== undefined) addSample(series, at, { cpu_iowait_pct: value })
  }
  for (let q = Math.floor(from / minuteMs / 15); q <= series.lastQuarter; q++)
    closeQuarter(series, q)
  return series
}

function windowOf(series: Series, now: number) {
  const batch = windowBatch(1)
  const end = fillWindow(batch, 0, { series, now })
  return {
    end,
    batch,
    mean: (t: number) => batch.past[2 * (t * V + v)]!,
    max: (t: number) => batch.past[2 * (t * V + v) + 1]!,
    known: (t: number) => batch.pastKnown[t * V + v]!,
    seasonal: (f: number) => batch.seasonal[f * V + v]!,
    seasonalKnown: (f: number) => batch.seasonalKnown[f * V + v]!,
    yesterday: (f: number) => batch.yesterday[f * V + v]!,
    baseline: (f: number) => batch.baseline[f * V + v]!,
    recent: [...batch.recent.subarray(v * 4, v * 4 + 4)],
  }
}

/** Minutes since t0, as a value that tells when it was measured. */
const ramp = (at: number): number => (at - t0) / minuteMs / 100

describe('a window', () => {
  test('ends at the last whole minute before now, not at a quarter of an hour', () => {
    const now = t0 + 30 * 60 * minuteMs + 7 * minuteMs + 12_345
    const window = windowOf(measured(t0, now, ramp), now)
    expect(window.end).toBe(t0 + (30 * 60 + 7) * minuteMs)
    // The last step is the mean of the 15 minutes before the end: minutes 1792 … 1806.
    expect(window.mean(T - 1)).toBeCloseTo(17.99, 3)
    expect(window.max(T - 1)).toBeCloseTo(18.06, 3)
    expect(window.mean(0)).toBeCloseTo((1807 - 1440 + 7) / 100, 3)
  })

  test('puts readings by their time: an hour without any is masked, not closed up', () => {
    const now = t0 + dayMs
    const gap = (at: number) => at >= now - 3 * 3_600_000 && at < now - 2 * 3_600_000
    const window = windowOf(
      measured(t0, now, (at) => (gap(at) ? undefined : ramp(at))),
      now,
    )
    for (let t = T - 12; t < T - 8; t++) expect([window.mean(t), window.known(t)]).toEqual([0, 0])
    expect(window.known(T - 13)).toBe(1)
    expect(window.mean(T - 8)).toBeCloseTo((1440 - 120 + 7) / 100, 3)
  })

  test('says which share of a step was measured', () => {
    const now = t0 + dayMs
    const window = windowOf(
      measured(t0, now, (at) => (at >= now - 5 * minuteMs ? undefined : 1)),
      now,
    )
    expect(window.known(T - 1)).toBeCloseTo(10 / 15, 5)
    expect(window.known(T - 2)).toBe(1)
  })

  test('of a server measured every 5 minutes has no gaps', () => {
    const now = t0 + dayMs
    const window = windowOf(
      measured(t0, now, () => 7, 5),
      now,
    )
    for (let t = 0; t < T; t++) expect([window.mean(t), window.known(t)]).toEqual([7, 1])
  })

  test('knows a metric that was never measured from one that is 0', () => {
    const now = t0 + dayMs
    const { batch } = windowOf(
      measured(t0, now, () => 0),
      now,
    )
    const other = networkMetricNames.indexOf('java_cpu_pct')
    expect(batch.pastKnown[(T - 1) * V + v]).toBe(1)
    expect(batch.pastKnown[(T - 1) * V + other]).toBe(0)
    expect(batch.recent[v * 4 + 3]).toBe(1)
    expect(batch.recent[other * 4 + 3]).toBe(0)
  })

  test('carries the mean of the same time on the days before, and how many of them are known', () => {
    const now = t0 + 4 * dayMs
    // Day d has 10 d, except that it rises by 5 in its sixth hour.
    const window = windowOf(
      measured(t0, now, (at) => {
        const day = Math.floor((at - t0) / dayMs)
        const hour = Math.floor(((at - t0) % dayMs) / 3_600_000)
        return 10 * day + (hour === 5 ? 5 : 0)
      }),
      now,
    )
    expect(window.seasonal(0)).toBeCloseTo((0 + 10 + 20 + 30) / 4, 4)
    expect(window.seasonalKnown(0)).toBeCloseTo(4 / 7, 5)
    expect(window.seasonal(5 * 4)).toBeCloseTo(15 + 5, 4)
    expect(window.yesterday(5 * 4 + 3)).toBeCloseTo(35, 4)
    expect(window.yesterday(6 * 4)).toBeCloseTo(30, 4)
  })

  test('weighs the two quarters that a step between quarters lies across', () => {
    const now = t0 + 2 * dayMs + 5 * minuteMs
    // Yesterday's first quarter is 3, its second 9, all else 0.
    const window = windowOf(
      measured(t0, now, (at) => {
        const since = (at - (t0 + dayMs)) / minuteMs
        return since >= 0 && since < 15 ? 3 : since >= 15 && since < 30 ? 9 : 0
      }),
      now,
    )
    // The first step ahead covers 00:05 to 00:20: ten minutes of the first quarter, five of the second.
    expect(window.yesterday(0)).toBeCloseTo((2 / 3) * 3 + (1 / 3) * 9, 4)
  })

  test('reads nothing that was measured before the first minute it may know', () => {
    const now = t0 + 3 * dayMs
    const series = measured(t0, now, () => 50)
    const young = windowOf({ ...series, firstMinute: now / minuteMs - 60 }, now)
    expect([young.known(T - 4), young.known(T - 5)]).toEqual([1, 0])
    expect(young.seasonalKnown(0)).toBe(0)
    expect(young.batch.statics[5]).toBeCloseTo(Math.log(2), 5)
  })

  test('shows the last hour minute by minute', () => {
    const now = t0 + dayMs
    const window = windowOf(
      measured(t0, now, (at) => (at === now - 30 * minuteMs ? 200 : 6 * ((at - t0) / 3_600_000))),
      now,
    )
    const [level, , max, known] = window.recent
    expect(level).toBeCloseTo(6 * (24 - 3 / 60), 2)
    expect(max).toBe(200)
    expect(known).toBe(1)
    const steady = windowOf(
      measured(t0, now, (at) => 2 * ((at - t0) / 3_600_000)),
      now,
    )
    expect(steady.recent[1]).toBeCloseTo(2, 3)
  })

  test('tells the time of day and of the week at each step', () => {
    const now = t0 + 6 * 3_600_000
    const { batch } = windowOf(
      measured(t0, now, () => 1),
      now,
    )
    // 06:00 on a Monday.
    expect(batch.calendarFuture[0]).toBeCloseTo(1, 5)
    expect(batch.calendarFuture[1]).toBeCloseTo(0, 5)
    expect(batch.calendarFuture[2]).toBeCloseTo(Math.sin((2 * Math.PI * 6) / 168), 5)
    expect(batch.calendarFuture[4]).toBe(0)
  })

  test('marks the instants of a known event', () => {
    const now = t0 + dayMs
    const batch = windowBatch(1)
    const isEvent = (at: number) => at >= now + 3_600_000 && at < now + 2 * 3_600_000
    const series = measured(t0, now, () => 1)
    fillWindow(batch, 0, { series, now, context: { isEvent } })
    const events = Array.from({ length: F }, (_, f) => batch.calendarFuture[f * 5 + 4])
    expect(events.slice(0, 10)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 0, 0])
  })
})

describe('a forecast', () => {
  test('is refused before the first sample, after too short a history, and after a silence', () => {
    expect(abstainReason(emptySeries(), t0)).toBe('no sample has arrived yet')
    const young = measured(t0, t0 + 9 * minuteMs, () => 1)
    expect(abstainReason(young, t0 + 9 * minuteMs)).toBe('learning: 9 of the first 15 minutes')
    const ripe = measured(t0, t0 + 15 * minuteMs, () => 1)
    expect(abstainReason(ripe, t0 + 15 * minuteMs)).toBeUndefined()
    expect(abstainReason(ripe, t0 + 40 * minuteMs)).toBe('no sample for 26 minutes')
  })
})
