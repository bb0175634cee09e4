import type { BaselineName } from '@harbinger/shared/forecast/baseline-names'
import {
  fillBaselineQuantiles,
  type RowQuantiles,
  rowQuantiles,
} from '@harbinger/shared/forecast/baselines'
import type { ContenderName } from '@harbinger/shared/model'
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
  /** [rows][steps][V][Q] and [rows][3][V][Q] of each contender. */
  readonly said: ReadonlyMap<ContenderName, RowQuantiles>
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
    baselines,
    every = 60,
    stopped,
    onProgress,
  }: {
    readonly inference: Inference | undefined
    readonly baselines: readonly BaselineName[]
    readonly every?: number
    readonly stopped?: (() => boolean) | undefined
    readonly onProgress?: ((share: number) => void) | undefined
  },
  use: (collected: Collected) => void,
): Promise<void> {
  const batch = windowBatch(chunkRows)
  const truth = truthBatch(chunkRows)
  const outs = baselines.map((name) => [name, rowQuantiles(chunkRows)] as const)
  let places: { server: ServerHistory; index: number; end: number }[] = []

  async function flush(): Promise<void> {
    const size = places.length
    if (size === 0) return
    // Rows past `size` are of an earlier chunk: computed, never read.
    const said = new Map<ContenderName, RowQuantiles>()
    if (inference) said.set('model', await inference.infer(batch))
    for (const [name, out] of outs) {
      for (let row = 0; row < size; row++) {
        fillBaselineQuantiles(out, { batch, row, to: row }, name)
      }
      said.set(name, out)
    }
    use({ size, said, truth, places })
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
