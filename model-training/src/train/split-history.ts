import type { FleetHistory } from '../history/fleet-history.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Shares of the history at its end that are kept from training: to choose contenders by, and to report on. */
const selected = { share: 0.1, most: 3 * dayMs }
const reported = { share: 0.2, most: 5 * dayMs }
/** Each of the three parts has as much at least: half a day. */
const leastMs = 12 * hourMs
/** A file of 36 h covers one step less than that from its first to its last row. */
const slackMs = 15 * 60_000

type Span = Pick<FleetHistory, 'name' | 'from' | 'to'>

/** A history is learnt from first, then contenders are chosen on it, and its last days are reported on alone. */
export function splitHistory({ from, to }: Span): {
  readonly selectFrom: number
  readonly reportFrom: number
} {
  const span = to - from
  const lengthOf = ({ share, most }: { readonly share: number; readonly most: number }): number =>
    Math.min(most, Math.max(leastMs, share * span))
  const reportFrom = to - lengthOf(reported)
  return { selectFrom: reportFrom - lengthOf(selected), reportFrom }
}

/** Why a history is too short to train on, and how much is missing; undefined when it is long enough. */
export function lengthMissing({ name, from, to }: Span): string | undefined {
  const missing = 3 * leastMs - (to - from)
  if (missing <= slackMs) return undefined
  return (
    `${name}: ${((to - from) / hourMs).toFixed(1)} h of history, 36 h are needed (12 to learn from, 12 to choose by ` +
    `and 12 to judge by): ${hours(missing - slackMs)} more`
  )
}

const hours = (ms: number): string =>
  ms < hourMs ? `${Math.ceil(ms / 60_000)} min` : `${Math.ceil(ms / hourMs)} h`
