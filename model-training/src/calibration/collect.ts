import { fillBaselineQuantiles, rowQuantiles } from '@harbinger/shared/forecast/baselines'
import { minuteMs } from '@harbinger/shared/window/series'
import { horizonSteps, stepMinutes, windowBatch } from '@harbinger/shared/window/window-batch'
import type { FleetHistory, ServerHistory } from '../history/fleet-history.ts'
import type { Inference } from '../onnx/inference.ts'
import { cutWindow } from '../windows/cut-window.ts'
import { fillTruth, truthBatch, type TruthBatch } from '../windows/truth.ts'

/** Days of a history that a calibration may be fitted on, or is judged by: origins from `from`, truth up to `to`. */
export type Stretch = {
  readonly history: FleetHistory
  readonly from: number
  readonly to: number
}

/** What was forecast of rows [0, size), and what came. Only valid during the call. */
export type Collected = {
  readonly size: number
  readonly model: { readonly quantiles: Float32Array; readonly peaks: Float32Array } | undefined
  readonly baseline: { readonly quantiles: Float32Array; readonly peaks: Float32Array }
  readonly truth: TruthBatch
  /** Window ends of the same rows; the server is its place in the history. */
  readonly places: readonly {
    readonly server: ServerHistory
    readonly index: number
    readonly end: number
  }[]
}

const chunkRows = 64

/** Forecasts a stretch from origins every `every` minutes, in time order, and hands over chunk after chunk. */
export async function collect(
  { history, from, to }: Stretch,
  {
    inference,
    every = 60,
    stopped,
    onProgress,
  }: {
    readonly inference: Inference | undefined
    readonly every?: number
    readonly stopped?: (() => boolean) | undefined
    readonly onProgress?: ((share: number) => void) | undefined
  },
  use: (collected: Collected) => void,
): Promise<void> {
  const batch = windowBatch(chunkRows)
  const truth = truthBatch(chunkRows)
  const out = rowQuantiles(chunkRows)
  let places: { server: ServerHistory; index: number; end: number }[] = []

  async function flush(): Promise<void> {
    const size = places.length
    if (size === 0) return
    // Rows past `size` are of an earlier chunk: computed, never read.
    const model = await inference?.infer(batch)
    for (let row = 0; row < size; row++) {
      fillBaselineQuantiles(out, { batch, row, to: row }, 'seven-day-mean-level')
    }
    use({ size, model, baseline: out, truth, places })
    places = []
  }

  const step = every * minuteMs
  const last = to - horizonSteps * stepMinutes * minuteMs + history.intervalMinutes * minuteMs
  for (let now = Math.ceil(from / step) * step; now <= last; now += step) {
    if (stopped?.()) return
    for (const [index, server] of history.servers.entries()) {
      const end = cutWindow(batch, places.length, { server, now })
      if (end === undefined) continue
      fillTruth(truth, places.length, { series: server.series, end })
      places.push({ server, index, end })
      if (places.length === chunkRows) await flush()
    }
    onProgress?.(Math.min(1, (now - from) / (last - from)))
  }
  await flush()
}
