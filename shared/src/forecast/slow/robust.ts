/** The middle value; undefined of none. */
export function medianOf(values: ArrayLike<number>): number | undefined {
  const n = values.length
  if (n === 0) return undefined
  if (scratch.length < n) scratch = new Float64Array(2 * n)
  for (let i = 0; i < n; i++) {
    const value = values[i]!
    // No number is in no order: what finds the middle below would not end.
    if (Number.isNaN(value)) return middleOfSorted(Float64Array.from(values).sort())
    scratch[i] = value
  }
  const middle = n >> 1
  const upper = put(scratch, middle, n - 1)
  if (n % 2 === 1) return upper
  let lower = scratch[0]!
  for (let i = 1; i < middle; i++) if (scratch[i]! > lower) lower = scratch[i]!
  return (lower + upper) / 2
}

let scratch = new Float64Array(256)

/** Moves what belongs at `place` of [0, last] there, smaller values before it (Hoare 1961): a tenth of sorting. */
function put(values: Float64Array, place: number, last: number): number {
  let left = 0
  let right = last
  while (left < right) {
    const pivot = values[place]!
    let i = left
    let j = right
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i > j) break
      const held = values[i]!
      values[i++] = values[j]!
      values[j--] = held
    }
    if (j < place) left = i
    if (place < i) right = j
  }
  return values[place]!
}

function middleOfSorted(sorted: Float64Array): number {
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** 1.48 turns a median absolute deviation into a standard deviation. */
export const madToDeviation = 1.48

export type Line = {
  readonly slope: number
  /** Standard error of the slope. */
  readonly error: number
  readonly spanHours: number
}

const blocks = 16

/**
 * Theil–Sen slope of points [from, to): of the means of up to 16 blocks of equal time, so that a fortnight costs as
 * little as an hour. Undefined below four blocks. NaN values are left out.
 */
export function robustLine(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  [from, to]: readonly [number, number],
): Line | undefined {
  if (to - from < 4) return undefined
  const begin = x[from]!
  const width = (x[to - 1]! - begin) / blocks
  if (width <= 0) return undefined
  const bx: number[] = []
  const by: number[] = []
  let sumX = 0
  let sumY = 0
  let count = 0
  let block = 0
  const close = (): void => {
    if (count > 0) {
      bx.push(sumX / count)
      by.push(sumY / count)
    }
    sumX = sumY = count = 0
  }
  for (let i = from; i < to; i++) {
    const at = Math.min(blocks - 1, Math.floor((x[i]! - begin) / width))
    if (at !== block) close()
    block = at
    if (Number.isNaN(y[i]!)) continue
    sumX += x[i]!
    sumY += y[i]!
    count++
  }
  close()
  if (bx.length < 4) return undefined
  const slopes: number[] = []
  for (let i = 0; i < bx.length; i++) {
    for (let j = i + 1; j < bx.length; j++) slopes.push((by[j]! - by[i]!) / (bx[j]! - bx[i]!))
  }
  const slope = medianOf(slopes)!
  const rest = by.map((value, i) => value - slope * bx[i]!)
  const middle = medianOf(rest)!
  const away = madToDeviation * medianOf(rest.map((value) => Math.abs(value - middle)))!
  const spanHours = bx.at(-1)! - bx[0]!
  // Least squares over k even points: deviation × √(12 / k) / span. Readings are rounded to hundredths.
  const error = (Math.max(away, 0.004) * Math.sqrt(12 / bx.length)) / spanHours
  return { slope, error, spanHours }
}
