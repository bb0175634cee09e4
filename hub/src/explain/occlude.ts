import { fillBaseline } from '@harbinger/shared/forecast/baseline'
import { networkMetricNames } from '@harbinger/shared/metrics'
import {
  historySteps,
  recentWidth,
  V,
  type WindowBatch,
  windowShapes,
} from '@harbinger/shared/window/window-batch'

export type NetworkMetric = (typeof networkMetricNames)[number]

/** Something that can be taken out of a window. */
export type Removal =
  /**
   * The window as it would be had the metric never been measured: unknown in the past, in the usual and lately, and
   * no baseline of its own. The other metrics' baselines come from their own past and stay.
   */
  | { readonly kind: 'metric'; readonly metric: NetworkMetric }
  /**
   * The metric is still measured, but its last 24 h went as is usual for the time of day: what is left of the forecast
   * is what would be said on an ordinary day. Steps without a usual are unknown. The baseline is computed again.
   */
  | { readonly kind: 'own_course'; readonly metric: NetworkMetric }
  /** The days before are unknown, and the baseline is computed again from what is left: the last 24 h. */
  | { readonly kind: 'usual'; readonly metric: NetworkMetric }
  /** The model is not told what the server is for. */
  | { readonly kind: 'profile' }
  /** Nothing was measured in some steps of the last 24 h, of no metric; the baselines are computed again. */
  | { readonly kind: 'span'; readonly from: number; readonly to: number }

type Tensors = { readonly [name: string]: Float32Array }

/** Takes `removal` out of row `row` of a batch, in place. The model then reads it as it reads any gap. */
export function occlude(batch: WindowBatch, row: number, removal: Removal): void {
  switch (removal.kind) {
    case 'metric':
      // Whatever the window says of a metric is 0 where unknown, in tensors of today and of tomorrow.
      return eachTensor(batch, ({ tensor, name, shape }) =>
        forget(tensor, { row, shape, v: columnOf(removal.metric), name }),
      )
    case 'profile':
      batch.profile[row] = 0n
      return
    case 'usual':
      eachTensor(batch, ({ tensor, name, shape }) => {
        if (isMeasured(name)) return
        forget(tensor, { row, shape, v: columnOf(removal.metric), name })
      })
      return fillBaseline(batch, row)
    case 'own_course':
      asUsual(batch, row, columnOf(removal.metric))
      return fillBaseline(batch, row)
    case 'span':
      for (let t = removal.from; t < removal.to; t++) {
        const k = (row * historySteps + t) * V
        batch.past.fill(0, 2 * k, 2 * (k + V))
        batch.pastKnown.fill(0, k, k + V)
      }
      // The last hour is told twice: in steps, and minute by minute.
      if (removal.to === historySteps) {
        batch.recent.fill(0, row * V * recentWidth, (row + 1) * V * recentWidth)
      }
      return fillBaseline(batch, row)
  }
}

const columnOf = (metric: NetworkMetric): number => networkMetricNames.indexOf(metric)

/** What was measured in the last 24 h, as against what is usual or computed. */
const isMeasured = (name: string): boolean => ['past', 'pastKnown', 'recent'].includes(name)

function eachTensor(
  batch: WindowBatch,
  visit: (one: { tensor: Float32Array; name: string; shape: readonly number[] }) => void,
): void {
  for (const [name, shape] of Object.entries(windowShapes)) {
    const tensor = (batch as unknown as Tensors)[name]
    if (tensor && (shape as readonly number[]).includes(V)) visit({ tensor, name, shape })
  }
}

/** Writes 0 wherever `v` is the place on the metric axis. */
function forget(
  tensor: Float32Array,
  {
    row,
    shape,
    v,
  }: { readonly row: number; readonly shape: readonly number[]; v: number; name: string },
): void {
  const axis = shape.indexOf(V)
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  const width = shape.reduce((a, b) => a * b, 1)
  for (let at = row * width + v * inner; at < (row + 1) * width; at += V * inner) {
    tensor.fill(0, at, at + inner)
  }
}

function asUsual(batch: WindowBatch, row: number, v: number): void {
  const { past, pastKnown, seasonalPast, seasonalPastKnown, recent } = batch
  for (let t = 0; t < historySteps; t++) {
    const k = (row * historySteps + t) * V + v
    const usual = seasonalPastKnown[k]! > 0
    if (pastKnown[k] === 0) continue
    if (!usual) pastKnown[k] = 0
    past[2 * k] = usual ? seasonalPast[k]! : 0
    past[2 * k + 1] = past[2 * k]!
  }
  const last = (row * historySteps + historySteps - 1) * V + v
  const r = (row * V + v) * recentWidth
  const known = pastKnown[last]! > 0
  recent[r] = known ? past[2 * last]! : 0
  recent[r + 1] = 0
  recent[r + 2] = known ? past[2 * last]! : 0
  recent[r + 3] = known ? 1 : 0
}

/** Whether an ordinary day is known for a metric, so that its course can be replaced by it. */
export function knowsUsual(batch: WindowBatch, row: number, metric: NetworkMetric): boolean {
  const v = columnOf(metric)
  for (let t = 0; t < historySteps; t++) {
    const k = (row * historySteps + t) * V + v
    if (batch.pastKnown[k]! > 0 && batch.seasonalPastKnown[k]! > 0) return true
  }
  return false
}

/** Whether any metric was measured in steps `from` … `to`. */
export function knowsSpan(batch: WindowBatch, row: number, from: number, to: number): boolean {
  const start = (row * historySteps + from) * V
  const end = (row * historySteps + to) * V
  return batch.pastKnown.subarray(start, end).some((known) => known > 0)
}
