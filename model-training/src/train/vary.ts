import { metrics, networkMetricNames } from '@harbinger/shared/metrics'
import { calendarWidth } from '@harbinger/shared/window/calendar'
import {
  historySteps as T,
  horizonSteps as F,
  recentWidth,
  V,
} from '@harbinger/shared/window/window-batch'
import type { TrainingBatch } from './training-batch.ts'

/**
 * Variations that keep a window true to life but not to the day it was cut from: few servers over few weeks repeat
 * themselves, and the network would learn those days by heart (model-training/LOG.md, "Overfitting").
 */

const peaks = 3

/** Tensors of one value per step and metric with the tensor that says how much of it is known. */
const stepped = [
  ['seasonalPast', 'seasonalPastKnown', T],
  ['seasonal', 'seasonalKnown', F],
  ['yesterday', 'yesterdayKnown', F],
  ['truth', 'truthKnown', F],
] as const

/**
 * Makes row `row` the weighted mean of itself and row `other` of `from`: a server that is a bit of both. Its peaks are
 * not a mean of peaks; they are left for the caller.
 */
export function blendRow(
  batch: TrainingBatch,
  row: number,
  { from, other, share }: { from: TrainingBatch; other: number; share: number },
): void {
  const mix = (a: number, b: number): number => (1 - share) * a + share * b
  for (let i = 0; i < T * V; i++) {
    const k = row * T * V + i
    const j = other * T * V + i
    const known = Math.min(batch.pastKnown[k]!, from.pastKnown[j]!)
    batch.pastKnown[k] = known
    for (let c = 0; c < 2; c++) {
      batch.past[2 * k + c] = known > 0 ? mix(batch.past[2 * k + c]!, from.past[2 * j + c]!) : 0
    }
  }
  for (const [name, mask, steps] of stepped) {
    for (let i = 0; i < steps * V; i++) {
      const k = row * steps * V + i
      const j = other * steps * V + i
      const known = Math.min(batch[mask][k]!, from[mask][j]!)
      batch[mask][k] = known
      batch[name][k] = known > 0 ? mix(batch[name][k]!, from[name][j]!) : 0
    }
  }
  for (let i = 0; i < V * recentWidth; i++) {
    const k = row * V * recentWidth + i
    batch.recent[k] = mix(batch.recent[k]!, from.recent[other * V * recentWidth + i]!)
  }
  for (let v = 0; v < V; v++) {
    const known = (row * V + v) * recentWidth + 3
    if (batch.recent[known]! < 1) batch.recent.fill(0, known - 3, known + 1)
  }
}

/** Stretches and lifts each metric of one row at random, within what the metric can be. */
export function rescaleRow(batch: TrainingBatch, row: number, random: () => number): void {
  for (let v = 0; v < V; v++) {
    const max = metrics[networkMetricNames[v]!].max
    const [low, high] = rangeOf(batch, row, v)
    if (high <= low) continue
    let stretch = Math.exp(0.8 * (2 * random() - 1))
    let lift = 0
    if (max !== undefined) {
      stretch = Math.min(stretch, max / (high - low))
      // Moved by at most a tenth of the scale, and never out of it.
      const floor = low * stretch
      const room = max - high * stretch
      const wanted = 0.1 * max * (2 * random() - 1)
      lift = room < 0 ? room : Math.max(-floor, Math.min(room, wanted))
    }
    rescaleMetric(batch, row, { v, stretch, lift })
  }
}

function rangeOf(batch: TrainingBatch, row: number, v: number): readonly [number, number] {
  let low = Infinity
  let high = -Infinity
  const see = (value: number): void => {
    if (value < low) low = value
    if (value > high) high = value
  }
  for (let t = 0; t < T; t++) {
    const k = (row * T + t) * V + v
    if (batch.pastKnown[k]! > 0) {
      see(batch.past[2 * k]!)
      see(batch.past[2 * k + 1]!)
    }
  }
  for (const [name, mask, steps] of stepped) {
    for (let t = 0; t < steps; t++) {
      const k = (row * steps + t) * V + v
      if (batch[mask][k]! > 0) see(batch[name][k]!)
    }
  }
  for (let p = 0; p < peaks; p++) {
    const k = (row * peaks + p) * V + v
    if (batch.peakKnown[k]! > 0) see(batch.peakTruth[k]!)
  }
  return [low, high]
}

type Change = { readonly v: number; readonly stretch: number; readonly lift: number }

function rescaleMetric(batch: TrainingBatch, row: number, { v, stretch, lift }: Change): void {
  for (let t = 0; t < T; t++) {
    const k = (row * T + t) * V + v
    if (batch.pastKnown[k] === 0) continue
    batch.past[2 * k] = batch.past[2 * k]! * stretch + lift
    batch.past[2 * k + 1] = batch.past[2 * k + 1]! * stretch + lift
  }
  for (const [name, mask, steps] of stepped) {
    for (let t = 0; t < steps; t++) {
      const k = (row * steps + t) * V + v
      if (batch[mask][k]! > 0) batch[name][k] = batch[name][k]! * stretch + lift
    }
  }
  for (let p = 0; p < peaks; p++) {
    const k = (row * peaks + p) * V + v
    if (batch.peakKnown[k]! > 0) batch.peakTruth[k] = batch.peakTruth[k]! * stretch + lift
  }
  const o = (row * V + v) * recentWidth
  if (batch.recent[o + 3] === 0) return
  batch.recent[o] = batch.recent[o]! * stretch + lift
  batch.recent[o + 1] = batch.recent[o + 1]! * stretch
  batch.recent[o + 2] = batch.recent[o + 2]! * stretch + lift
}

/** Moves one row's week by `days`: the time of day stays, the weekday no longer tells which day it was. */
export function shiftWeek(batch: TrainingBatch, row: number, days: number): void {
  const angle = (2 * Math.PI * days) / 7
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  for (const [calendar, steps] of [
    [batch.calendarPast, T],
    [batch.calendarFuture, F],
  ] as const) {
    for (let t = 0; t < steps; t++) {
      const k = (row * steps + t) * calendarWidth + 2
      const a = calendar[k]!
      const b = calendar[k + 1]!
      calendar[k] = a * cos + b * sin
      calendar[k + 1] = b * cos - a * sin
    }
  }
}
