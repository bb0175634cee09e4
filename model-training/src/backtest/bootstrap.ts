import { quantileOfSorted } from '@harbinger/shared/forecast/quantiles'
import { randomStream } from '../train/random.ts'
import { metricWql } from './score.ts'
import { horizons } from './slices.ts'
import { scoreOf, serversOf, type Tally } from './tally.ts'

/** A figure with the interval that 95 % of its resamplings fall into. */
export type Interval = { readonly figure: number; readonly low: number; readonly high: number }

export type Resampling = {
  /** Default 1,000. */
  readonly resamples?: number
  /** Of what is drawn; equal seeds give equal intervals. Default 1. */
  readonly seed?: number
  /** Whether models are drawn anew as well, as when they are seeds of one training; default false. */
  readonly models?: boolean
}

/** Summed pinball and truth of one contender, [server][metric][2]. */
type Sums = readonly Float64Array[]

/**
 * Mean over `ours` of WQL(ours) / WQL(theirs), with its 95 % interval: servers are drawn with replacement, all windows
 * of a server together and the same servers for both sides (paired). When there are as many theirs as ours the ratio
 * is that of the means. Undefined where nothing can be compared.
 */
export function ratioInterval(
  ours: readonly Tally[],
  theirs: readonly Tally[],
  { resamples = 1000, seed = 1, models = false }: Resampling = {},
): Interval | undefined {
  const servers = serversOf(ours[0]!).filter((server) =>
    [...ours, ...theirs].every((tally) => tally.scores[server * horizons.length] !== undefined),
  )
  if (servers.length === 0) return undefined
  const sumsOf = (tally: Tally): Sums => servers.map((server) => serverSums(tally, server))
  const above = ours.map(sumsOf)
  const below = theirs.map(sumsOf)
  const all = servers.map((_, i) => i)
  const each = <T>(list: readonly T[]): number[] => list.map((_, i) => i)
  const figure = ratio({ above, below }, all, { above: each(above), below: each(below) })
  if (!Number.isFinite(figure)) return undefined

  const random = randomStream(seed)
  const pick = (n: number): number[] => Array.from({ length: n }, () => Math.floor(n * random()))
  const drawn = new Float64Array(resamples)
  for (let i = 0; i < resamples; i++) {
    drawn[i] = ratio({ above, below }, pick(servers.length), {
      above: models ? pick(above.length) : each(above),
      below: models ? pick(below.length) : each(below),
    })
  }
  const sorted = drawn.filter(Number.isFinite).sort()
  return {
    figure,
    low: quantileOfSorted(sorted, 0.025),
    high: quantileOfSorted(sorted, 0.975),
  }
}

/** 1 − ratio, its ends exchanged: above 0 is better than the other side. */
export const toSkill = ({ figure, low, high }: Interval): Interval => ({
  figure: 1 - figure,
  low: 1 - high,
  high: 1 - low,
})

function serverSums(tally: Tally, server: number): Float64Array {
  const { metrics } = scoreOf(tally, { servers: [server] })
  return Float64Array.from(metrics.flatMap(({ pinball, truth }) => [pinball, truth]))
}

type Sides<T> = { readonly above: readonly T[]; readonly below: readonly T[] }

function ratio(sums: Sides<Sums>, servers: readonly number[], models: Sides<number>): number {
  const mean = (side: readonly Sums[], places: readonly number[]): number =>
    places.reduce((sum, place) => sum + wqlOf(side[place]!, servers), 0) / places.length
  return mean(sums.above, models.above) / mean(sums.below, models.below)
}

function wqlOf(sums: Sums, servers: readonly number[]): number {
  const total = new Float64Array(sums[0]!.length)
  for (const server of servers) {
    const own = sums[server]!
    for (let k = 0; k < total.length; k++) total[k]! += own[k]!
  }
  let sum = 0
  let known = 0
  for (let k = 0; k < total.length; k += 2) {
    if (total[k + 1]! <= 0) continue
    sum += metricWql({ pinball: total[k]!, truth: total[k + 1]! })
    known++
  }
  return known > 0 ? sum / known : NaN
}
