import type { Inventory } from '@harbinger/shared/sample'

const usualIntervalMs = 10_000

/** Told to sample more often, a server still counts by the interval before. */
export type SlowerUntil = { readonly at: number; readonly ms: number } | undefined

/** What of a server its interval is read from. */
export type Timed = {
  readonly inventory: Inventory | undefined
  /** Between the last few samples on the time axis. */
  readonly gaps: readonly number[]
  readonly slowerUntil: SlowerUntil
}

/** How often a server's samples come now, and who says so; `measured` when its agent does not. */
export type ServerInterval = {
  readonly ms: number
  /** The longest pause between two samples to expect now: the one before, right after it became shorter. */
  readonly pauseMs: number
  readonly from: 'own' | 'hub' | 'measured'
}

/**
 * The interval in force for a server: what its agent says it samples at, and where an agent says nothing (an earlier
 * version, another program), the median of what lies between its samples; 10 s until that is known. Whether a server is late is judged by `pauseMs`.
 */
export function intervalInForce(
  { inventory, gaps, slowerUntil }: Timed,
  now: number,
): ServerInterval {
  const said = inventory?.interval
  if (!said) {
    const ms = gaps.toSorted((a, b) => a - b)[gaps.length >> 1] ?? usualIntervalMs
    return { ms, pauseMs: ms, from: 'measured' }
  }
  // Just told to sample more often, it has still the longer silence behind it.
  const ms = said.seconds * 1000
  const pauseMs = slowerUntil && now < slowerUntil.at ? slowerUntil.ms : ms
  return { ms, pauseMs, from: said.from }
}

/** Until when the interval before counts, after an agent said a new one. */
export function slowerUntil(
  before: Omit<Timed, 'gaps'>,
  next: Inventory['interval'],
  now: number,
): SlowerUntil {
  const earlier = before.inventory?.interval
  if (!earlier || !next) return undefined
  // Said again, by a new connection say: what counted goes on counting.
  if (earlier.seconds === next.seconds) return before.slowerUntil
  if (earlier.seconds < next.seconds) return undefined
  // Twice the new interval: its first sample comes within one, and a half where the instants differ.
  return { at: now + 2 * next.seconds * 1000 + 5_000, ms: earlier.seconds * 1000 }
}
