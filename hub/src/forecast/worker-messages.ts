import type { Device } from '@harbinger/model-training/onnx/device'
import type { WindowBatch } from '@harbinger/shared/window/window-batch'
import type { MetricForecast, ServerForecast } from './server-forecast.ts'
import type { RowsToForecast } from './forecast-rows.ts'

export type ModelInfo = { readonly id: string; readonly kind: string; readonly trainedAt: string }

/** Forecaster → worker. Every question is answered once, under its number; urgent ones before the others. */
export type Question = { readonly number: number; readonly urgent?: boolean } & (
  | { readonly kind: 'load'; readonly folder: string; readonly threads: number }
  /** Moves the loaded model to a device. */
  | { readonly kind: 'device'; readonly device: Device }
  /** `examine` also wants to know what the network looked at. */
  | ({ readonly kind: 'forecast' | 'examine' } & Omit<RowsToForecast, 'network'>)
)

/** Worker → forecaster. */
export type Answer =
  | { readonly number: number; readonly loaded: ModelInfo }
  | { readonly number: number; readonly device: Device }
  | { readonly number: number; readonly refused: string }
  | {
      readonly number: number
      readonly forecasts: readonly ServerForecast[]
      /** Why the device gave up meanwhile; the processor made the numbers. */
      readonly lost?: string
      /** Of `examine` alone, and only where a network ran. */
      readonly look?: Look | undefined
    }

/** What the network looked at, one row per window: each output as long as the network makes it. */
export type Look = {
  /** Weight of each metric, and of the calendar after them, among what was and what is usual ahead. */
  readonly selectionPast: Float32Array
  readonly selectionFuture: Float32Array
  /** Weight of each step of the history. */
  readonly attention: Float32Array
}

/** Rows `from` up to `to` of a batch, copied so that they can be given away. */
export function copyRows(batch: WindowBatch, from: number, to: number): WindowBatch {
  const copy = Object.fromEntries(
    Object.entries(batch).map(([name, tensor]) => {
      if (typeof tensor === 'number') return [name, to - from]
      const width = tensor.length / batch.size
      return [name, tensor.slice(from * width, to * width)]
    }),
  )
  return copy as unknown as WindowBatch
}

export const buffersOf = (batch: WindowBatch): ArrayBuffer[] =>
  Object.values(batch).flatMap((tensor) =>
    typeof tensor === 'number' ? [] : [tensor.buffer as ArrayBuffer],
  )

/** Moves all numbers into one buffer, which crosses threads at once instead of in 28 pieces per server. */
export function packForecasts(forecasts: readonly ServerForecast[]): {
  readonly forecasts: readonly ServerForecast[]
  readonly buffer: ArrayBuffer
} {
  const all = forecasts.flatMap(({ metrics }) => Object.values(metrics))
  const length = all.reduce((sum, { quantiles, peaks }) => sum + quantiles.length + peaks.length, 0)
  const packed = new Float32Array(length)
  let from = 0
  const keep = (numbers: Float32Array): Float32Array => {
    packed.set(numbers, from)
    return packed.subarray(from, (from += numbers.length))
  }
  const pack = (made: MetricForecast): MetricForecast => ({
    ...made,
    quantiles: keep(made.quantiles),
    peaks: keep(made.peaks),
  })
  return {
    forecasts: forecasts.map((forecast) => ({
      ...forecast,
      metrics: Object.fromEntries(
        Object.entries(forecast.metrics).map(([name, made]) => [name, pack(made)]),
      ),
    })),
    buffer: packed.buffer,
  }
}
