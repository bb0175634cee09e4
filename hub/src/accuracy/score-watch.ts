import type { MetricName } from '@harbinger/shared/metrics'
import { networkMetricNames } from '@harbinger/shared/metrics'
import type { Episode } from '../storage/drift-store.ts'
import { ratioBounds } from './block-bootstrap.ts'
import { metricWord } from './feed-watch.ts'
import type { Ledger } from './ledger.ts'
import { type HourSums, sumOf, type Sums } from './sums.ts'

const dayHours = 24
const weekHours = 7 * dayHours
/** Hours with scores that a day needs, and points in all, before it is judged. */
const fewestHours = 20
const fewestPoints = 200
/** What the band promises, as the product's bar has it. */
const band = { low: 0.77, high: 0.83 } as const
/** A metric whose model was found worse is given back to it after so long, and judged anew. */
export const retryMs = 24 * 3_600_000

type Found = Omit<Episode, 'id' | 'endedAt' | 'beganAt'>

/**
 * Whether the last day's forecasts of a model were worse than those of the baseline that would serve in its place, or
 * its band no longer held what it held in the days before. Both are judged by how much the log itself varies.
 */
export function scoreDrifts(
  ledger: Pick<Ledger, 'last'>,
  { model, at }: { readonly model: string; readonly at: number },
): { readonly found: Found[]; readonly watched: number; readonly learning: number } {
  const week = ledger.last(at, weekHours)
  const day = ledger.last(at, dayHours)
  const before = week.slice(0, week.length - day.length)
  const found: Found[] = []
  let watched = 0
  for (const metric of networkMetricNames) {
    const lately = hoursOf(day, model, metric)
    const points = lately.reduce((sum, one) => sum + sumOf(one, 'points'), 0)
    if (lately.length < fewestHours || points < fewestPoints) continue
    watched++
    const one =
      skillDrift(lately, metric) ?? coverageDrift(lately, hoursOf(before, model, metric), metric)
    if (one) found.push(one)
  }
  return { found, watched, learning: networkMetricNames.length - watched }
}

const hoursOf = (hours: readonly HourSums[], model: string, metric: MetricName): Sums[] =>
  hours.flatMap(({ cells }) => cells.get(`source|model:${model}|${metric}`) ?? [])

function skillDrift(hours: readonly Sums[], metric: MetricName): Found | undefined {
  const gain = ratioBounds(
    hours.map((one) => ({
      above: sumOf(one, 'baselinePinball0') - sumOf(one, 'pinball'),
      below: sumOf(one, 'baselinePinball0'),
    })),
  )
  if (!gain || gain.high >= 0) return undefined
  const total = (field: 'pinball' | 'baselinePinball0') =>
    hours.reduce((sum, one) => sum + sumOf(one, field), 0)
  const worse = total('pinball') / total('baselinePinball0') - 1
  return {
    ...{ signal: 'skill', metric, group: null, fallsBack: true },
    detail: `${metricWord(metric)}: over the last day the model's forecasts were ${percent(worse)} worse than the baseline's on the same points`,
  }
}

function coverageDrift(
  day: readonly Sums[],
  before: readonly Sums[],
  metric: MetricName,
): Found | undefined {
  if (before.length < 2 * dayHours) return undefined
  const held = (hours: readonly Sums[], field: 'covered' | 'baselineCovered' = 'covered') =>
    hours.map((one) => ({ above: sumOf(one, field), below: sumOf(one, 'points') }))
  const now = ratioBounds(held(day))
  const then = ratioBounds(held(before))
  if (!now || !then) return undefined
  const isOut = now.high < band.low || now.low > band.high
  const isNew = now.high < then.low || now.low > then.high
  if (!isOut || !isNew) return undefined
  const share = (hours: ReturnType<typeof held>) =>
    hours.reduce((sum, { above }) => sum + above, 0) /
    hours.reduce((sum, { below }) => sum + below, 0)
  const ours = share(held(day))
  const baseline = share(held(day, 'baselineCovered'))
  return {
    ...{ signal: 'coverage', metric, group: null },
    // Where the band of the baseline holds no better, falling back would help nobody.
    fallsBack: Math.abs(baseline - 0.8) < Math.abs(ours - 0.8),
    detail: `${metricWord(metric)}: over the last day the 80 % band held ${percent(ours)} of what came, in the days before ${percent(share(held(before)))}`,
  }
}

const percent = (share: number): string => `${Math.round(100 * share)} %`
