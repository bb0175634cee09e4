import { Q } from '@harbinger/shared/forecast/quantiles'

/** More points than this tell a quantile no better; then every second is left out. */
const mostPoints = 10_000

export type ErrorCell = ReturnType<typeof errorCell>

/** How far truth lay above each quantile, in units of the band: the conformity scores of one group. */
export function errorCell() {
  let all: number[][] = Array.from({ length: Q }, () => [])
  let stride = 1
  let seen = 0
  return {
    add(
      values: ArrayLike<number>,
      at: number,
      { truth, unit }: { readonly truth: number; readonly unit: number },
    ): void {
      if (seen++ % stride !== 0) return
      for (let q = 0; q < Q; q++) all[q]!.push((truth - values[at + q]!) / unit)
      if (all[0]!.length < mostPoints) return
      all = all.map((errors) => errors.filter((_, i) => i % 2 === 0))
      stride *= 2
    },
    points: (): number => seen,
    errors: (q: number): readonly number[] => all[q]!,
  }
}
