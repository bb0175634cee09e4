/** How long to wait before trying again: 1 s, doubling to 30 s, spread so that a wall of screens does not return as one. */
export function retryAfterMs(attempt: number, random: () => number): number {
  const longest = Math.min(30_000, 1000 * 2 ** Math.min(attempt, 10))
  return longest / 2 + (random() * longest) / 2
}
