/** Hours that are drawn together: errors of one hour and the next are alike. */
const blockHours = 4
export const draws = 999

/**
 * Where a ratio of sums may lie, from resampling blocks of hours (moving-block bootstrap; Künsch 1989): the lowest and
 * highest of 999 draws, so that the truth lies beyond either in about one case of a thousand. Hours with nothing in
 * `below` have no weight. The same hours give the same answer.
 */
export function ratioBounds(
  hours: readonly { readonly above: number; readonly below: number }[],
): { readonly low: number; readonly high: number } | undefined {
  if (hours.length < 2 * blockHours) return undefined
  const starts = hours.length - blockHours + 1
  const blocks = Math.ceil(hours.length / blockHours)
  let low = Infinity
  let high = -Infinity
  let state = 0x9e3779b9
  for (let draw = 0; draw < draws; draw++) {
    let above = 0
    let below = 0
    for (let b = 0; b < blocks; b++) {
      // A linear congruential generator is random enough to choose among a few dozen blocks.
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const start = Math.floor((state / 2 ** 32) * starts)
      for (let h = start; h < start + blockHours; h++) {
        above += hours[h]!.above
        below += hours[h]!.below
      }
    }
    if (below <= 0) continue
    low = Math.min(low, above / below)
    high = Math.max(high, above / below)
  }
  return low <= high ? { low, high } : undefined
}
