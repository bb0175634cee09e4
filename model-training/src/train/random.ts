/** A stream of numbers in 0 … 1 that `seed` and `place` alone decide, so that a resumed run draws what it would have. */
export function randomStream(seed: number, place = 0): () => number {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(place + 1, 0xc2b2ae35)) >>> 0
  // mulberry32 (Tommy Ettinger): 32 bits of state, passes gjrand's tests.
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}
