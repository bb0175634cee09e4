import { exceedance, Q } from './quantiles.ts'

/** The chances at which a curve says how often it came: between the outermost quantile levels, 0.02 and 0.98. */
export const chanceGrid = [
  0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98,
] as const

/** How often it came at each place of chanceGrid; undefined: as often as was said. */
export type Curve = readonly number[] | undefined

/** What a chance that was read off quantiles is really worth. 0 stays 0: it was beyond all that the forecast says. */
export function translate(chance: number, came: Curve): number {
  if (!came || chance <= 0) return chance
  let i = 1
  while (i < chanceGrid.length - 1 && chance > chanceGrid[i]!) i++
  const [low, high] = [chanceGrid[i - 1]!, chanceGrid[i]!]
  const share = Math.min(1, Math.max(0, (chance - low) / (high - low)))
  return came[i - 1]! + share * (came[i]! - came[i - 1]!)
}

export type Breach = {
  /** In the metric's unit; of a metric that worsens downwards a floor. */
  readonly threshold: number
  readonly worsens?: 'up' | 'down'
  /** Where the seven quantiles begin. Default 0. */
  readonly offset?: number
  readonly curve?: Curve
}

/**
 * The chance that a quantity with these quantiles is at or past `threshold`. Past the outer quantile it is 0, not
 * the 2 % that `exceedance` holds there: summed over a fleet that floor would predict incidents nobody expects.
 */
export function breachChance(
  quantiles: ArrayLike<number>,
  { threshold, worsens = 'up', offset = 0, curve }: Breach,
): number {
  if (worsens === 'down') {
    if (threshold < quantiles[offset]!) return 0
    return translate(1 - exceedance(quantiles, threshold, offset), curve)
  }
  if (threshold > quantiles[offset + Q - 1]!) return 0
  return translate(exceedance(quantiles, threshold, offset), curve)
}
