/** The quantile levels of every forecast, ascending. */
export const quantileLevels = [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98] as const
export const Q = quantileLevels.length
export const medianIndex = 3

/** Peaks are forecast for the maximum over these many minutes from the window's end. */
export const peakMinutes = [60, 240, 480] as const

/** Linear interpolation between order statistics (type 7 of Hyndman & Fan 1996); `sorted` ascending, not empty. */
export function quantileOfSorted(sorted: ArrayLike<number>, level: number): number {
  const position = (sorted.length - 1) * level
  const below = Math.floor(position)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (high - low) * (position - below)
}

/**
 * The chance that the forecast quantity exceeds `threshold`, read off its quantiles by linear interpolation between
 * levels. Beyond the outer quantiles it is held at their level: the model says nothing about what lies further out.
 */
export function exceedance(quantiles: ArrayLike<number>, threshold: number, offset = 0): number {
  if (threshold <= quantiles[offset]!) return 1 - quantileLevels[0]
  for (let q = 1; q < Q; q++) {
    const high = quantiles[offset + q]!
    if (threshold > high) continue
    const low = quantiles[offset + q - 1]!
    const share = high > low ? (threshold - low) / (high - low) : 1
    const level = quantileLevels[q - 1]! + share * (quantileLevels[q]! - quantileLevels[q - 1]!)
    return 1 - level
  }
  return 1 - quantileLevels[Q - 1]!
}
