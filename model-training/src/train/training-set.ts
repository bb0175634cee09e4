import { windowBatch, type WindowBatch } from '@harbinger/shared/window/window-batch'
import type { FleetHistory } from '../history/fleet-history.ts'
import { cutWindow } from '../windows/cut-window.ts'
import { fillTruth, truthBatch, type TruthBatch } from '../windows/truth.ts'
import { addHardship, drawHistoryMinutes, hardships } from './augment.ts'
import { randomStream } from './random.ts'

export type TrainingBatch = WindowBatch & TruthBatch

/** A stretch of a history to learn from, or to check against. */
export type Source = {
  readonly history: FleetHistory
  /** How often its windows are drawn, beside the other sources. */
  readonly weight: number
  /** Windows end, and what follows them is measured, between these instants. */
  readonly from: number
  readonly to: number
}

const hourMs = 3_600_000
const horizonMs = 8 * hourMs

export const trainingBatch = (size: number): TrainingBatch => ({
  ...windowBatch(size),
  ...truthBatch(size),
})

/** Throws when a source is too short for a single window and what follows it. */
export function checkSources(sources: readonly Source[]): void {
  if (sources.length === 0) throw new Error('nothing to learn from: no history was given')
  for (const { history, from, to } of sources) {
    if (to - from > horizonMs + hourMs) continue
    throw new Error(
      `${history.name}: ${((to - from) / hourMs).toFixed(1)} h of history, expected more than 9 h to learn from`,
    )
  }
}

/** Fills `batch` with windows drawn at random; `seed` and `place` alone decide which. */
export function drawBatch(
  batch: TrainingBatch,
  sources: readonly Source[],
  { seed, place, augment = true }: { seed: number; place: number; augment?: boolean },
): TrainingBatch {
  const random = randomStream(seed, place)
  const total = sources.reduce((sum, { weight }) => sum + weight, 0)
  for (let row = 0; row < batch.size; row++) {
    let tries = 0
    while (!drawWindow(batch, row, pick(sources, random() * total), { random, augment })) {
      if (++tries === 1000)
        throw new Error('no window to learn from: the histories are nearly empty')
    }
  }
  return batch
}

function pick(sources: readonly Source[], place: number): Source {
  let left = place
  for (const source of sources) {
    left -= source.weight
    if (left < 0) return source
  }
  return sources.at(-1)!
}

/** Writes one window and its truth; false when the hub would not forecast there or nothing was measured after. */
function drawWindow(
  batch: TrainingBatch,
  row: number,
  { history, from, to }: Source,
  { random, augment }: { readonly random: () => number; readonly augment: boolean },
): boolean {
  const server = history.servers[Math.floor(random() * history.servers.length)]!
  const now = from + random() * (to - horizonMs - from)
  const historyMinutes = augment ? drawHistoryMinutes(random) : undefined
  const end = cutWindow(batch, row, {
    server,
    now,
    historyMinutes,
    unknownProfile: augment && random() < hardships.unknownProfile,
    unknownHardware: augment && random() < hardships.unknownHardware,
  })
  if (end === undefined) return false
  fillTruth(batch, row, { series: server.series, end })
  if (augment) addHardship(batch, row, random)
  const width = batch.truthKnown.length / batch.size
  return batch.truthKnown.subarray(row * width, (row + 1) * width).some((known) => known > 0)
}
