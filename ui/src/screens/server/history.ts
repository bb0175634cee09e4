import type { Samples } from '@harbinger/shared/api'
import { type ShownMetric, toShown } from '../../words/shown-metrics.ts'

/** What one metric did. A null between two points is a stretch without readings, drawn as a gap. */
export type History = {
  readonly at: readonly number[]
  readonly mean: readonly (number | null)[]
  /** The highest reading of each step; empty for CPU used, whose highest would need the lowest idle. */
  readonly max: readonly (number | null)[]
}

export const noHistory: History = { at: [], mean: [], max: [] }

/** Two steps may be late; after two and a half something is missing. */
const gapSteps = 2.5

export function toHistory(samples: Samples, shown: ShownMetric): History {
  const columns = samples.metrics[shown.metric]
  if (!columns) return noHistory
  const at: number[] = []
  const mean: (number | null)[] = []
  const max: (number | null)[] = []
  const gapMs = gapSteps * samples.stepSeconds * 1000
  const put = (time: number, value: number | null, highest: number | null) => {
    at.push(time)
    mean.push(value)
    if (!shown.inverted) max.push(highest)
  }
  samples.at.forEach((instant, i) => {
    const time = Date.parse(instant)
    const last = at.at(-1)
    if (last !== undefined && time - last > gapMs) put(last + 1000, null, null)
    const value = columns.mean[i] ?? null
    put(time, value === null ? null : toShown(shown, value), columns.max[i] ?? null)
  })
  return { at, mean, max }
}

/** A reading from the stream goes to the end; one that is already there, or late, changes nothing. */
export function withReading(
  history: History,
  { at: time, value }: { readonly at: number; readonly value: number },
  shown: ShownMetric,
  gapMs: number,
): History {
  const last = history.at.at(-1)
  if (last !== undefined && time <= last) return history
  const gap = last !== undefined && time - last > gapMs ? [last + 1000] : []
  const nothing = gap.map(() => null)
  const reading = toShown(shown, value)
  return {
    at: [...history.at, ...gap, time],
    mean: [...history.mean, ...nothing, reading],
    max: shown.inverted ? [] : [...history.max, ...nothing, reading],
  }
}

export type Extent = { readonly lowest: number; readonly mean: number; readonly highest: number }

export function extentOf({ mean, max }: History): Extent | undefined {
  const known = mean.filter((value) => value !== null)
  if (known.length === 0) return undefined
  const highest = [...known, ...max.filter((value) => value !== null)]
  return {
    lowest: known.reduce((a, b) => Math.min(a, b)),
    mean: known.reduce((a, b) => a + b) / known.length,
    highest: highest.reduce((a, b) => Math.max(a, b)),
  }
}
