import type { Outlook } from './outlook.ts'
import { alertWeights } from './alert-weights.ts'

const logit = (p: number): number => {
  const kept = Math.min(1 - 1e-4, Math.max(1e-4, p))
  return Math.log(kept / (1 - kept))
}

/** 0 where the trend reaches the limit in just 4 h, above where it does sooner. */
export function way(rise: number, room: number): number {
  if (Number.isNaN(rise)) return -4
  return Math.min(4, Math.max(-4, Math.log(Math.max(rise, 1e-3) / Math.max(room, 1e-3))))
}

/** What the weights of `alert-weights.ts` weigh, in their order; the first is the constant. */
export function alertFeatures({ room, unit, narrow, rises, chances }: Outlook): readonly number[] {
  const [hour, six, day] = rises.map((rise) => way(rise, room)) as [number, number, number]
  const share = Math.log(Math.max(0, room) / unit + 0.005)
  return [
    1,
    ...chances.map(logit),
    hour,
    six,
    day,
    Math.min(hour, six),
    Math.min(six, day),
    share,
    narrow,
    Math.max(0, six),
    Math.max(0, hour),
    share * share,
  ]
}

/**
 * How likely an incident begins 15 min to 8 h from now, 0 … 1: the network's chances and what the trends say, weighed
 * per metric as fitted on simulated fleets.
 */
export function alertScore(outlook: Outlook): number {
  const weights = alertWeights[outlook.metric]
  if (!weights) return outlook.chances[2]
  const sum = alertFeatures(outlook).reduce((all, x, i) => all + x * weights[i]!, 0)
  return 1 / (1 + Math.exp(-sum))
}
