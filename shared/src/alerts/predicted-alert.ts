/** An alert ends when its score is below this share of what raised it, so that one that wavers is one alert. */
const lowerShare = 0.3

/**
 * Whether a predicted alert is on after this forecast. Nobody is warned of an incident that is there: while one is
 * open, the hard limit speaks.
 */
export function isAlerting(
  before: boolean,
  { score, raise, inIncident }: { score: number; raise: number; inIncident: boolean },
): boolean {
  if (inIncident) return false
  return score >= (before ? lowerShare * raise : raise)
}
