/** Keeps weights of features that hardly vary from growing without end; in squared standard deviations. */
const ridge = 1
const mostRounds = 40
const done = 1e-8

/**
 * Weights of a logistic regression, fitted by Newton's method (iteratively reweighted least squares). The first
 * feature is the constant 1 and is not held back.
 */
export function fitLogistic(
  features: readonly (readonly number[])[],
  came: readonly number[],
): readonly number[] {
  const width = features[0]?.length
  if (width === undefined) throw new Error('there is nothing to fit: no forecast of any server')
  const { mean, scale } = spreads(features, width)
  const x = Float64Array.from(
    features.flatMap((row) => row.map((v, j) => (v - mean[j]!) / scale[j]!)),
  )
  const weights = new Float64Array(width)
  for (let round = 0; round < mostRounds; round++) {
    const gradient = Float64Array.from(weights, (w, j) => (j > 0 ? ridge * w : 0))
    const curve = Array.from({ length: width }, (_, j) =>
      Float64Array.from({ length: width }, (_, k) => (j === k ? (j > 0 ? ridge : 1e-9) : 0)),
    )
    for (let i = 0; i < features.length; i++) {
      let sum = 0
      for (let j = 0; j < width; j++) sum += weights[j]! * x[i * width + j]!
      const p = 1 / (1 + Math.exp(-sum))
      for (let j = 0; j < width; j++) {
        const xj = x[i * width + j]!
        gradient[j]! += (p - came[i]!) * xj
        const weighted = p * (1 - p) * xj
        for (let k = 0; k <= j; k++) curve[j]![k]! += weighted * x[i * width + k]!
      }
    }
    for (let j = 0; j < width; j++) for (let k = 0; k < j; k++) curve[k]![j] = curve[j]![k]!
    const step = solve(curve, gradient)
    let largest = 0
    step.forEach((by, j) => {
      weights[j]! -= by
      largest = Math.max(largest, Math.abs(by))
    })
    if (largest < done) break
  }
  // Back to the features as they are.
  const own = Array.from(weights, (w, j) => w / scale[j]!)
  own[0] = weights[0]! - own.reduce((sum, w, j) => (j > 0 ? sum + w * mean[j]! : sum), 0)
  return own
}

/** The constant keeps its value; a feature that never varies is as good as left out. */
function spreads(features: readonly (readonly number[])[], width: number) {
  const mean = new Float64Array(width)
  const scale = new Float64Array(width).fill(1)
  for (let j = 1; j < width; j++) {
    mean[j] = features.reduce((sum, row) => sum + row[j]!, 0) / features.length
    const square = features.reduce((sum, row) => sum + (row[j]! - mean[j]!) ** 2, 0)
    scale[j] = Math.sqrt(square / features.length) || 1
  }
  return { mean, scale }
}

/** Gauss–Jordan with partial pivoting; both arguments are used up. */
function solve(a: Float64Array[], b: Float64Array): Float64Array {
  const n = b.length
  for (let j = 0; j < n; j++) {
    let pivot = j
    for (let i = j + 1; i < n; i++) if (Math.abs(a[i]![j]!) > Math.abs(a[pivot]![j]!)) pivot = i
    ;[a[j], a[pivot]] = [a[pivot]!, a[j]!]
    ;[b[j], b[pivot]] = [b[pivot]!, b[j]!]
    for (let i = 0; i < n; i++) {
      if (i === j) continue
      const by = a[i]![j]! / a[j]![j]!
      for (let k = j; k < n; k++) a[i]![k]! -= by * a[j]![k]!
      b[i]! -= by * b[j]!
    }
  }
  return b.map((value, j) => value / a[j]![j]!)
}
