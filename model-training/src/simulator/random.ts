/** Mixes three words into one (the rounds and the finaliser of MurmurHash3); the only source of chance here. */
export function hash32(a: number, b: number, c: number): number {
  let h = round(round(round(0x9747b28c, a), b), c)
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

function round(h: number, word: number): number {
  let k = Math.imul(word | 0, 0xcc9e2d51)
  k = (k << 15) | (k >>> 17)
  h ^= Math.imul(k, 0x1b873593)
  h = (h << 13) | (h >>> 19)
  return (Math.imul(h, 5) + 0xe6546b64) | 0
}

/** A number in [0, 1) that depends on nothing but its three names. */
export const unit = (a: number, b: number, c: number): number => hash32(a, b, c) / 0x1_0000_0000

/** Numbers in [0, 1), one after the other; the same key gives the same numbers. */
export function draws(a: number, b: number, c: number) {
  const key = hash32(a, b, c)
  let n = 0
  const next = (): number => unit(key, 0x5bd1, n++)
  return {
    next,
    between: (low: number, high: number): number => low + (high - low) * next(),
    /** Log-uniform: as likely between 1 and 10 as between 10 and 100. */
    spread: (low: number, high: number): number => low * (high / low) ** next(),
    pick: <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!,
  }
}

/** 0 … 1 with no corner at either end. */
export function smoothstep(x: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  return x * x * (3 - 2 * x)
}

/**
 * Smooth noise in [−1, 1] that is a function of time alone, so that a history in steps of five minutes and a live
 * stream at ten seconds, or a fleet begun a day later, tell the same story. It turns about once per `periodMs`.
 */
export function smoothNoise(seed: number, channel: number, periodMs: number) {
  const shift = unit(seed, channel, 0x1d) * periodMs
  let cell = NaN
  let low = 0
  let high = 0
  return (at: number): number => {
    const x = (at + shift) / periodMs
    const index = Math.floor(x)
    if (index !== cell) {
      cell = index
      low = 2 * unit(seed, channel, index) - 1
      high = 2 * unit(seed, channel, index + 1) - 1
    }
    const share = x - index
    return low + (high - low) * share * share * (3 - 2 * share)
  }
}
