import { describe, expect, test } from 'vitest'
import { metricIndex, metricNames } from '../metrics.ts'
import {
  addSample,
  closeQuarter,
  emptySeries,
  minuteCell,
  minuteMs,
  quarterCell,
  type Series,
  setMinute,
  setQuarter,
} from './series.ts'

const t0 = Date.UTC(2025, 0, 6)
const minute0 = t0 / minuteMs
const iowait = metricIndex.cpu_iowait_pct

const at = (series: Series, minute: number): readonly [number, number, number] => {
  const cell = minuteCell(series, minute) + iowait
  return [series.mean[cell]!, series.max[cell]!, series.count[cell]!]
}

describe('a series', () => {
  test('keeps mean, max and count of each minute', () => {
    const series = emptySeries()
    for (const [second, value] of [
      [0, 10],
      [10, 20],
      [50, 60],
    ] as const) {
      addSample(series, t0 + second * 1000, { cpu_iowait_pct: value })
    }
    expect(at(series, minute0)).toEqual([30, 60, 3])
    expect(series.firstMinute).toBe(minute0)
    expect(series.lastSampleAt).toBe(t0 + 50_000)
  })

  test('is the same whatever order the samples come in', () => {
    const samples = Array.from(
      { length: 200 },
      (_, i) => [t0 + i * 10_000, (i * 37) % 100] as const,
    )
    const inOrder = emptySeries()
    const shuffled = emptySeries()
    for (const [when, value] of samples) addSample(inOrder, when, { cpu_iowait_pct: value })
    for (const k of samples.keys()) {
      const [when, value] = samples[(k * 77) % 200]!
      addSample(shuffled, when, { cpu_iowait_pct: value })
    }
    for (let minute = minute0; minute < minute0 + 34; minute++) {
      const [mean, max, count] = at(shuffled, minute)
      const [wantedMean, wantedMax, wantedCount] = at(inOrder, minute)
      expect(mean).toBeCloseTo(wantedMean, 4)
      expect([max, count]).toEqual([wantedMax, wantedCount])
    }
    expect(shuffled.firstMinute).toBe(inOrder.firstMinute)
    expect(shuffled.lastMinute).toBe(inOrder.lastMinute)
    expect(shuffled.lastSampleAt).toBe(inOrder.lastSampleAt)
  })

  test('lets a late sample correct its minute, until that minute has fallen off', () => {
    const series = emptySeries({ minutes: 10 })
    addSample(series, t0, { cpu_iowait_pct: 10 })
    addSample(series, t0 + 5 * minuteMs, { cpu_iowait_pct: 50 })
    expect(addSample(series, t0 + 1000, { cpu_iowait_pct: 30 })).toBeGreaterThanOrEqual(0)
    expect(at(series, minute0)).toEqual([20, 30, 2])
    addSample(series, t0 + 12 * minuteMs, { cpu_iowait_pct: 1 })
    expect(addSample(series, t0 + 2000, { cpu_iowait_pct: 99 })).toBe(-1)
  })

  test('knows nothing of a minute nobody measured, and of a metric that was absent', () => {
    const series = emptySeries()
    addSample(series, t0, { cpu_iowait_pct: 10 })
    addSample(series, t0 + 2 * minuteMs, { load_average: 1 })
    expect(at(series, minute0 + 1)).toEqual([NaN, NaN, 0])
    expect(at(series, minute0 + 2)).toEqual([NaN, NaN, 0])
  })

  test('forgets what a silence longer than its memory leaves behind', () => {
    const series = emptySeries({ minutes: 10 })
    addSample(series, t0, { cpu_iowait_pct: 10 })
    addSample(series, t0 + 1000 * minuteMs, { cpu_iowait_pct: 20 })
    for (let minute = minute0 + 991; minute < minute0 + 1000; minute++) {
      expect(at(series, minute)).toEqual([NaN, NaN, 0])
    }
  })

  test('closes a quarter from the minutes that were measured', () => {
    const series = emptySeries()
    for (const m of [0, 1, 7])
      addSample(series, t0 + m * minuteMs, { cpu_iowait_pct: 10 * (m + 1) })
    expect(closeQuarter(series, minute0 / 15)).toBe(true)
    const cell = quarterCell(series, minute0 / 15) + iowait
    expect(series.quarterMean[cell]).toBeCloseTo((10 + 20 + 80) / 3, 4)
    expect(series.quarterKnown[cell]).toBe(3)
    expect(series.quarterKnown[cell + 1]).toBe(0)
  })

  test('never replaces a stored quarter by the half that is still in memory', () => {
    const series = emptySeries({ minutes: 20 })
    const mean = new Float32Array(metricNames.length).fill(42)
    setQuarter(series, minute0 / 15, mean, new Uint8Array(metricNames.length).fill(15))
    addSample(series, t0 + 10 * minuteMs, { cpu_iowait_pct: 1 })
    addSample(series, t0 + 25 * minuteMs, { cpu_iowait_pct: 1 })
    expect(closeQuarter(series, minute0 / 15)).toBe(false)
    expect(series.quarterMean[quarterCell(series, minute0 / 15) + iowait]).toBe(42)
  })

  test('takes back a stored minute', () => {
    const series = emptySeries()
    const width = metricNames.length
    setMinute(series, minute0, {
      mean: new Float32Array(width).fill(3),
      max: new Float32Array(width).fill(5),
      count: new Uint16Array(width).fill(6),
    })
    expect(at(series, minute0)).toEqual([3, 5, 6])
    expect(series.lastSampleAt).toBe(t0 + minuteMs - 1)
  })
})
