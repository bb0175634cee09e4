import type { OcclusionCheck } from '@harbinger/shared/explanation'
import { drawSome } from './random-draws.ts'

/** How far the forecast moved when something was removed. */
export type Effect<Removed> = { readonly removed: Removed; readonly effect: number }

/** Random others that a named one is held against … */
export const draws = 5
/** … and fewer of them prove nothing. */
export const fewestDraws = 3

/**
 * Whether removing `named` moves the forecast more than removing others drawn at random: more than `factor` times
 * their mean, and more than `floor`, below which nothing is worth naming. Undefined when there are too few others.
 */
export function occlusionCheck<Removed>({
  named,
  others,
  name,
  seed,
  factor = 1,
  floor = 0,
}: {
  readonly named: Effect<Removed>
  readonly others: readonly Effect<Removed>[]
  readonly name: string
  readonly seed: number
  readonly factor?: number
  readonly floor?: number
}): OcclusionCheck | undefined {
  const drawn = drawSome(others, draws, seed)
  if (drawn.length < fewestDraws) return undefined
  const mean = drawn.reduce((sum, { effect }) => sum + effect, 0) / drawn.length
  const needed = Math.max(floor, factor * mean)
  return {
    removed: name,
    effect: round(named.effect),
    randomEffects: drawn.map(({ effect }) => round(effect)),
    needed: round(needed),
    passed: named.effect > needed,
    seed,
  }
}

const round = (x: number): number => Math.round(x * 1e4) / 1e4
