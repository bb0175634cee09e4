import { availableParallelism } from 'node:os'
import { productVersion } from '@harbinger/shared/version'

/** One bar of docs/benchmarks.md: what was measured, against what, and how. */
export type BenchReport = {
  readonly name: string
  readonly figure: number
  readonly unit: string
  readonly bar: string
  readonly ok: boolean
  readonly peer: { readonly name: string; readonly figure: number; readonly ratio: number } | null
  readonly conditions: Record<string, unknown>
  /** Other figures of the same run. */
  readonly beside?: Record<string, unknown>
}

export const conditions = (more: Record<string, unknown>, now: () => number) => ({
  cores: availableParallelism(),
  node: process.version,
  versions: { harbinger: productVersion },
  at: new Date(now()).toISOString(),
  ...more,
})
