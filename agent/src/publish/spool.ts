/** A sample as the bytes that go on the wire, in the order of `seq`. */
export type Spooled = { readonly seq: number; readonly json: string }

/** Keeps samples until the hub says they are committed. */
export type Spool = {
  add(sample: Spooled): void
  forgetUpTo(seq: number): void
  /** Up to `limit` samples with a greater `seq`, oldest first. */
  after(seq: number, limit: number): readonly Spooled[]
  size(): number
  /** Samples given up because there was no room for them; they are lost. */
  dropped(): number
  /** The `seq` of the last sample added; undefined before the first. */
  last(): number | undefined
}

/** A spool that ends with the process. When it is full the oldest sample makes room for the newest. */
export function memorySpool(maxSamples: number): Spool {
  const samples: Spooled[] = []
  /** Samples before this index are forgotten; the array is cut when they are the greater part of it. */
  let first = 0
  let dropped = 0
  let last: number | undefined

  function forgetFirst(count: number) {
    first += count
    if (first > 64 && first * 2 > samples.length) {
      samples.splice(0, first)
      first = 0
    }
  }

  function indexAfter(seq: number): number {
    let low = first
    let high = samples.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (samples[middle]!.seq <= seq) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    add(sample) {
      if (last !== undefined && sample.seq <= last) {
        throw new Error(`a spool takes samples in order: got ${sample.seq} after ${last}`)
      }
      last = sample.seq
      samples.push(sample)
      if (samples.length - first > maxSamples) {
        dropped++
        forgetFirst(1)
      }
    },
    forgetUpTo: (seq) => forgetFirst(indexAfter(seq) - first),
    after(seq, limit) {
      const from = indexAfter(seq)
      return samples.slice(from, from + limit)
    },
    size: () => samples.length - first,
    dropped: () => dropped,
    last: () => last,
  }
}
