import { quantileOfSorted } from '@harbinger/shared/forecast/quantiles'

/** A quantile of ascending values, or null of none. */
export const quantileOf = (sorted: readonly number[], level: number): number | null =>
  sorted.length === 0 ? null : quantileOfSorted(sorted, level)
