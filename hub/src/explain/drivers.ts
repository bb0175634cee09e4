import type { Driver, Explanation, OcclusionCheck } from '@harbinger/shared/explanation'
import type { MetricName } from '@harbinger/shared/metrics'
import type { MetricForecast } from '../forecast/server-forecast.ts'
import { type Effect, occlusionCheck } from './check.ts'
import type { NetworkMetric, Removal } from './occlude.ts'
import { amount, distanceText, label, meanBand, meanShift, peakOf } from './shown.ts'

/** A driver has to move the forecast by this share of its own band: less is within what the forecast does not know. */
const leastShare = 0.1
/** … and clearly more than a metric drawn at random does. */
const clearly = 1.5
const most = 5

export type Occluded = {
  readonly removal: Exclude<Removal, { readonly kind: 'span' }>
  /** The forecast of the target with it removed; undefined when there was none then. */
  readonly without: MetricForecast | undefined
}

/**
 * What the forecast of one metric rests on: everything whose removal moves it, most first. The order is that of the
 * measured effects, not of the model's weights. Something is named only when it passes the check against others drawn
 * at random; when nothing does, the list is withheld.
 */
export function findDrivers(
  target: NetworkMetric,
  {
    made,
    occluded,
    seed,
  }: {
    readonly made: MetricForecast
    readonly occluded: readonly Occluded[]
    readonly seed: number
  },
): Explanation['drivers'] {
  const effects = effectsOf(made, occluded)
  const metricsAlone = effects.filter(({ removed }) => removed.removal.kind === 'metric')
  const floor = leastShare * meanBand(made)
  const checked = effects
    .map((named) => ({
      named,
      check: occlusionCheck({
        ...{ named, seed, floor, factor: clearly, name: removedName(named.removed.removal) },
        others: metricsAlone.filter((other) => other !== named),
      }),
    }))
    .sort((a, b) => b.named.effect - a.named.effect)
  const [first] = checked
  if (!first) return withheld('nothing else of this server is measured that could be removed')
  if (!first.check) {
    return withheld(
      'fewer than three other metrics are measured: too few to check a driver against',
    )
  }
  const items = checked
    .filter(({ check }) => check?.passed)
    .slice(0, most)
    .map(({ named }) => toDriver(target, made, named))
  if (items.length > 0) return { withheld: null, items, check: first.check }
  return withheld(failed(target, first.check, floor), first.check)
}

const withheld = (reason: string, check: OcclusionCheck | null = null) => ({
  withheld: reason,
  items: [],
  check,
})

function failed(target: MetricName, check: OcclusionCheck, floor: number): string {
  const by = distanceText(check.effect, target)
  return check.effect <= floor
    ? `no single input decides it: removing any one moves the forecast by ${by} at most, which is less than a tenth of the forecast's own band`
    : `no single input stands out: removing ${check.removed} moves the forecast by ${by}, removing others drawn at random hardly less`
}

const effectsOf = (made: MetricForecast, occluded: readonly Occluded[]): Effect<Occluded>[] =>
  occluded.flatMap((removed) =>
    removed.without ? [{ removed, effect: meanShift(made, removed.without) }] : [],
  )

/** Whether the metric the network weighs most is one whose removal matters; its weights are shown only then. */
export function checkSelection(
  target: NetworkMetric,
  {
    made,
    occluded,
    seed,
    weightOf,
  }: {
    readonly made: MetricForecast
    readonly occluded: readonly Occluded[]
    readonly seed: number
    readonly weightOf: (metric: NetworkMetric) => number
  },
): { readonly withheld: string | null; readonly check: OcclusionCheck | null } {
  const effects = effectsOf(made, occluded).filter(({ removed }) => metricOf(removed) !== undefined)
  const weight = (one: Effect<Occluded>) => weightOf(metricOf(one.removed)!)
  const named = effects.reduce<Effect<Occluded> | undefined>(
    (best, one) => (!best || weight(one) > weight(best) ? one : best),
    undefined,
  )
  const name = named && label(metricOf(named.removed)!)
  const check =
    named &&
    occlusionCheck({ named, name: name!, seed, others: effects.filter((one) => one !== named) })
  if (!check) {
    return { withheld: 'too few other metrics are measured to check the weights', check: null }
  }
  return {
    withheld: check.passed
      ? null
      : `the network weighs ${name} most, but removing it moves the forecast of ${label(target)} by ${distanceText(check.effect, target)} and removing others drawn at random by ${distanceText(check.needed, target)}: the weights do not tell what matters here`,
    check,
  }
}

const metricOf = ({ removal }: Occluded): NetworkMetric | undefined =>
  removal.kind === 'metric' ? removal.metric : undefined

function toDriver(
  target: NetworkMetric,
  made: MetricForecast,
  { removed: { removal, without }, effect }: Effect<Occluded>,
): Driver {
  const peakWith = peakOf(target, made).likely
  const peakWithout = peakOf(target, without!).likely
  const change =
    amount(peakWith, target) === amount(peakWithout, target)
      ? `the expected peak stays at ${amount(peakWith, target)}, the way there moves by ${distanceText(effect, target)} on average`
      : `the expected peak would be ${amount(peakWithout, target)} instead of ${amount(peakWith, target)}`
  return {
    kind: removal.kind,
    metric: removal.kind === 'metric' ? removal.metric : target,
    text: `${lead(target, removal)}, ${change}.`,
    effect: Math.round(effect * 1e4) / 1e4,
    peakWith: Math.round(peakWith * 1e4) / 1e4,
    peakWithout: Math.round(peakWithout * 1e4) / 1e4,
  }
}

function lead(target: NetworkMetric, removal: Occluded['removal']): string {
  switch (removal.kind) {
    case 'metric':
      return `Without ${label(removal.metric)}`
    case 'own_course':
      return `Had ${label(target)} gone as usual in the last 24 h`
    case 'usual':
      return `Without what is usual for ${label(target)} at this time of day`
    case 'profile':
      return 'Without knowing what the server is for'
  }
}

function removedName(removal: Occluded['removal']): string {
  switch (removal.kind) {
    case 'metric':
      return label(removal.metric)
    case 'own_course':
      return 'its own course of the last 24 h'
    case 'usual':
      return 'what is usual at this time of day'
    case 'profile':
      return "the server's profile"
  }
}
