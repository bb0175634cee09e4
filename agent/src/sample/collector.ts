import type { MetricName } from '@harbinger/shared/metrics'
import type { extraReadingNames } from '@harbinger/shared/sample'

/** What an agent may say: the metrics of the contract, and the extras that travel beside them. */
export type ReadingName = MetricName | (typeof extraReadingNames)[number]

export type AgentReadings = { readonly [name in ReadingName]?: number }

/** Reads one corner of the machine. Counters become rates here, so nobody downstream keeps state for them. */
export type Collector<Name extends ReadingName = ReadingName> = {
  readonly name: string
  /** What it reads when all goes well; the doctor and the inventory name the ones it could not. */
  readonly reads: readonly Name[]
  /** An empty answer means "nothing to say yet"; a throw means "this should have worked". */
  collect(): { readonly [name in Name]?: number } | Promise<{ readonly [name in Name]?: number }>
}

/**
 * Two decimals keep a sample short, are finer than any screen shows, and still let slow growth of a disk be seen
 * (0.01 % of 1 TB is 100 MB).
 */
export const round = (value: number, decimals = 2): number => {
  const scale = 10 ** decimals
  return Math.round(value * scale) / scale
}

/** A share of something as a percentage that cannot leave its range. */
export const toPercent = (part: number, whole: number): number =>
  round(Math.min(100, Math.max(0, (100 * part) / whole)))
