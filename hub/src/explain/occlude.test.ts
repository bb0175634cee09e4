import { levelOf, meanPlusLevel } from '@harbinger/shared/forecast/baseline'
import { metricIndex, networkMetricNames } from '@harbinger/shared/metrics'
import { addSample, emptySeries, minuteMs, type Series } from '@harbinger/shared/window/series'
import { fillWindow } from '@harbinger/shared/window/window'
import {
  historySteps,
  horizonSteps,
  V,
  type WindowBatch,
  windowBatch,
} from '@harbinger/shared/window/window-batch'
import { expect, test } from 'vitest'
import { knowsSpan, knowsUsual, occlude } from './occlude.ts'

const now = Date.parse('2026-03-12T10:07:00Z')
const names = ['cpu_user_pct', 'mem_used_pct', 'net_in_mb_s'] as const

/** Three days of three metrics; `but` was never measured. */
function measured(but?: (typeof names)[number]): Series {
  const series = emptySeries({ minutes: 3 * 1440 })
  const end = now / minuteMs
  for (let m = end - 3 * 1440; m < end; m++) {
    const wave = Math.sin(m / 200)
    const readings = { cpu_user_pct: 40 + 20 * wave, mem_used_pct: 60, net_in_mb_s: 5 - wave }
    if (but) delete (readings as Partial<typeof readings>)[but]
    addSample(series, m * minuteMs, readings)
    if (m % 15 === 14) closeAll(series, m)
  }
  return series
}

function closeAll(series: Series, minute: number): void {
  const quarter = Math.floor(minute / 15)
  const cell = (quarter % series.quarterCapacity) * 14
  for (const name of names) {
    const at = (minute % series.minuteCapacity) * 14 + metricIndex[name]
    series.quarterMean[cell + metricIndex[name]] = series.mean[at]!
    series.quarterKnown[cell + metricIndex[name]] = series.count[at]! > 0 ? 15 : 0
  }
}

function windowOf(series: Series): WindowBatch {
  // The row before must stay as it is.
  const batch = windowBatch(2)
  for (const row of [0, 1])
    fillWindow(batch, row, { series, now, context: { profile: 'database' } })
  return batch
}
const v = (name: (typeof names)[number]) => networkMetricNames.indexOf(name)
const row = (tensor: Float32Array, which: number) =>
  tensor.subarray((which * tensor.length) / 2, ((which + 1) * tensor.length) / 2)

test('a removed metric leaves the window of a server on which it was never measured', () => {
  for (const metric of names) {
    const batch = windowOf(measured())
    const before = windowOf(measured())
    occlude(batch, 1, { kind: 'metric', metric })
    const never = windowOf(measured(metric))
    for (const [name, tensor] of Object.entries(batch)) {
      if (!(tensor instanceof Float32Array)) continue
      const other = never[name as 'past']
      expect(row(tensor, 1), `${name} without ${metric}`).toEqual(row(other, 1))
      expect(row(tensor, 0), `${name} of the row before`).toEqual(row(before[name as 'past'], 0))
    }
  }
})

test('a course as usual stays measured, and the baseline says what is usual', () => {
  const series = measured()
  const at = (m: number) => (m % series.minuteCapacity) * 14 + metricIndex.mem_used_pct
  // Memory has been 30 points higher for six hours.
  for (let m = now / minuteMs - 360; m < now / minuteMs; m++) {
    series.mean[at(m)] = 90
    series.max[at(m)] = 95
  }
  const batch = windowOf(series)
  const ahead = (which: number) => batch.baseline[which * horizonSteps * V + v('mem_used_pct')]!
  expect(ahead(1)).toBeGreaterThan(75)
  occlude(batch, 1, { kind: 'own_course', metric: 'mem_used_pct' })
  expect(ahead(1)).toBeCloseTo(60, 3)
  const last = (historySteps + historySteps - 1) * V + v('mem_used_pct')
  expect([batch.past[2 * last], batch.past[2 * last + 1], batch.pastKnown[last]]).toEqual([
    60, 60, 1,
  ])
  expect(batch.recent[(V + v('mem_used_pct')) * 4]).toBe(60)
  expect(ahead(0)).toBeGreaterThan(75)
})

test('without the usual, the baseline comes from the last day alone', () => {
  const batch = windowOf(measured())
  expect(knowsUsual(batch, 1, 'cpu_user_pct')).toBe(true)
  occlude(batch, 1, { kind: 'usual', metric: 'cpu_user_pct' })
  expect(knowsUsual(batch, 1, 'cpu_user_pct')).toBe(false)
  expect(knowsUsual(batch, 0, 'cpu_user_pct')).toBe(true)
  const level = levelOf(batch, 1, v('cpu_user_pct'))
  expect(level).toMatchObject({ usual: false, dayDeviation: 0 })
  const first = batch.baseline[horizonSteps * V + v('cpu_user_pct')]!
  expect(first).toBeCloseTo(meanPlusLevel(level, 1), 4)
  expect(first).not.toBeCloseTo(batch.baseline[v('cpu_user_pct')]!, 1)
})

test('a removed span is a gap of all metrics; the last one takes the last hour with it', () => {
  const batch = windowOf(measured())
  occlude(batch, 1, { kind: 'span', from: 84, to: 96 })
  expect(knowsSpan(batch, 1, 84, 96)).toBe(false)
  expect(knowsSpan(batch, 1, 72, 84)).toBe(true)
  expect(knowsSpan(batch, 0, 84, 96)).toBe(true)
  expect(row(batch.recent, 1).every((x) => x === 0)).toBe(true)
  expect(row(batch.recent, 0).some((x) => x !== 0)).toBe(true)
})

test('a server whose profile is removed is unknown to the model', () => {
  const batch = windowOf(measured())
  occlude(batch, 1, { kind: 'profile' })
  expect([...batch.profile]).toEqual([2n, 0n])
})
