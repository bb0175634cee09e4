/** Quarters of an hour in a block: blocks are long enough to be nearly independent of one another. */
export const blockQuarters = 24
const blocksPerYear = (365.25 * 96) / blockQuarters
/** The reference is complete when it has seen every hour of a week. */
export const fewestBlocks = 28

/** Smallest shift that is called one, as a logarithm: below 10 % nothing is said. */
const smallestShift = 0.1
const smallestScale = 0.01

/**
 * What |statistic| exceeds once in `years` while nothing changes: block maxima of the reference, whose excesses over
 * their median are taken as exponential (peaks over threshold; Coles 2001, ch. 4). Their scale is known from some
 * fourteen excesses only, so its upper 95 % bound is taken; and never less than a seventh of the median, which is what
 * maxima of Gaussian noise have. Undefined below 28 blocks.
 */
export function returnLevel(blockMaxima: readonly number[], years: number): number | undefined {
  if (blockMaxima.length < fewestBlocks) return undefined
  const sorted = Float64Array.from(blockMaxima).sort()
  const middle = sorted[sorted.length >> 1]!
  const excesses = sorted.slice((sorted.length >> 1) + 1).map((value) => value - middle)
  const k = excesses.length
  const mean = excesses.reduce((sum, value) => sum + value, 0) / k
  const scale = Math.max(smallestScale, middle / 7, mean / (1 - 1.645 / Math.sqrt(k) + 0.9 / k))
  return Math.max(smallestShift, middle + scale * Math.log(0.5 * blocksPerYear * years))
}

/** Highest |value| of each whole block, where at least half of the block is known. */
export function blockMaxima(values: readonly number[]): number[] {
  return blocks(values, (known) => Math.max(...known.map(Math.abs)))
}

/** |middle value| of each whole block: what a block did all along, whatever happened within it. */
export function blockMiddles(values: readonly number[]): number[] {
  return blocks(values, (known) => Math.abs(middleOf(known)))
}

export function middleOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[sorted.length >> 1]!
}

function blocks(values: readonly number[], of: (known: number[]) => number): number[] {
  const found: number[] = []
  for (let from = values.length % blockQuarters; from < values.length; from += blockQuarters) {
    const known = values.slice(from, from + blockQuarters).filter((value) => !Number.isNaN(value))
    if (2 * known.length >= blockQuarters) found.push(of(known))
  }
  return found
}

/**
 * The chance of at least `k` of `n` when each has the chance `p` by itself. Summed from the largest term down; exact
 * to rounding.
 */
export function binomialTail(k: number, n: number, p: number): number {
  let sum = 0
  for (let i = k; i <= n; i++) {
    sum += Math.exp(logChoose(n, i) + i * Math.log(p) + (n - i) * Math.log1p(-p))
  }
  return Math.min(1, sum)
}

function logChoose(n: number, k: number): number {
  let sum = 0
  for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i)
  return sum
}
