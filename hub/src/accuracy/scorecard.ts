import type { Accuracy, Figures, Scorecard } from '@harbinger/shared/accuracy'
import { peakMinutes } from '@harbinger/shared/forecast/quantiles'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { loggedBaselines, loggedLeads, loggedLevels } from '../storage/forecast-log-body.ts'
import { hourMs, hourOf, type Ledger } from './ledger.ts'
import { addSums, bins, emptySums, middleOf, sumOf, type Sums } from './sums.ts'

const levels = loggedLevels.length
const metricNames = networkMetricNames as readonly string[]

const windowDays = [1, 7] as const
/** The hours whose totals a scorecard is made of. */
export const windowHours = windowDays.map((days) => days * 24)

/** What has been promised and what came, over the last day and the last seven; from sums alone. */
export const toScorecards = (sums: Pick<Ledger, 'total'>, at: number): Accuracy['windows'] =>
  windowDays.map((days) => ({
    days,
    from: new Date((hourOf(at) - days * 24 + 1) * hourMs).toISOString(),
    to: new Date(at).toISOString(),
    ...toScorecard(sums, { at, hours: days * 24 }),
  }))

function toScorecard(
  sums: Pick<Ledger, 'total'>,
  { at, hours }: { readonly at: number; readonly hours: number },
): Scorecard {
  const { cells, errors } = sums.total(at, hours)
  const under = tree(cells)
  const errorsUnder = tree(errors)
  const leads = loggedLeads.map(String)
  const perMetric = metricNames.map((metric) =>
    total(leads.flatMap((lead) => under('lead').get(lead)?.get(metric) ?? [])),
  )
  const ofMetric = (metric: string, only = leads): Figures => ({
    ...figures(
      [total(only.flatMap((lead) => under('lead').get(lead)?.get(metric) ?? []))],
      'one metric',
    ),
    medianAbsoluteError: medianOf(
      only.flatMap((lead) => errorsUnder('lead').get(lead)?.get(metric) ?? []),
    ),
  })
  const scored = metricNames.filter((_, v) => sumOf(perMetric[v]!, 'points') > 0)
  const groups = (kind: string): [string, Figures][] =>
    [...under(kind)].map(([name, byMetric]) => [name, figures([...byMetric.values()])])
  const sources = groups('source')
  return {
    all: figures(perMetric),
    byMetric: named(scored, (metric) => ofMetric(metric)),
    byLead: named(leads, (lead) => figures([...(under('lead').get(lead)?.values() ?? [])])),
    byMetricAndLead: named(scored, (metric) => named(leads, (lead) => ofMetric(metric, [lead]))),
    byProfile: Object.fromEntries(groups('profile').sort(byName)),
    bySource: Object.fromEntries(
      sources.filter(([name]) => !name.startsWith('challenger:')).sort(byName),
    ),
    challengers: Object.fromEntries(
      sources
        .filter(([name]) => name.startsWith('challenger:'))
        .map(([name, of]) => [name.slice('challenger:'.length), of] as const)
        .sort(byName),
    ),
    reliability: reliability(total(perMetric)),
    peaks: named(peakMinutes.map(String), (minutes) => {
      const found = [...(under('peak').get(minutes)?.values() ?? [])]
      const { n, unknown, wql, coverage80 } = figures(found)
      return { n, unknown, wql, coverage80, breach: breach(total(found)) }
    }),
  }
}

/** Figures of several metrics: losses are the plain mean over those that have one, as in the backtest. */
function figures(perMetric: readonly Sums[], unit?: 'one metric'): Figures {
  const all = total(perMetric)
  const n = sumOf(all, 'points')
  const counted = perMetric.filter((sums) => sumOf(sums, 'truth') > 0)
  const wql = mean(counted.map((sums) => loss(sums, 'pinball')))
  const baselines = loggedBaselines.map(
    (name, i) =>
      [name, mean(counted.map((sums) => loss(sums, `baselinePinball${i as 0}`)))] as const,
  )
  const [best] = baselines
    .filter((one): one is [(typeof one)[0], number] => one[1] !== null && one[1] > 0)
    .sort((a, b) => a[1] - b[1])
  return {
    n,
    unknown: sumOf(all, 'unknown'),
    wql,
    bestBaseline: best?.[0] ?? null,
    bestBaselineWql: best?.[1] ?? null,
    skill: best && wql !== null ? 1 - wql / best[1] : null,
    coverage80: ratio(sumOf(all, 'covered'), n),
    meanAbsoluteError: unit ? ratio(sumOf(all, 'error'), n) : null,
    medianAbsoluteError: null,
    meanBandWidth: unit ? ratio(sumOf(all, 'width'), n) : null,
  }
}

const loss = (sums: Sums, field: 'pinball' | 'baselinePinball0'): number =>
  (2 * sumOf(sums, field)) / (levels * sumOf(sums, 'truth'))

function reliability(sums: Sums): Scorecard['reliability'] {
  const n = sumOf(sums, 'points')
  return loggedLevels.map((level, i) => ({
    promised: level,
    came: ratio(sumOf(sums, (['below10', 'below50', 'below90'] as const)[i]!), n),
    n,
  }))
}

function breach(sums: Sums): Scorecard['peaks'][string]['breach'] {
  const cases = sumOf(sums, 'cases')
  return {
    cases,
    expected: ratio(sumOf(sums, 'chance'), cases),
    reached: ratio(sumOf(sums, 'reached'), cases),
    brier: ratio(sumOf(sums, 'brier'), cases),
  }
}

function medianOf(counts: readonly Uint32Array[]): number | null {
  const all = new Float64Array(bins)
  for (const more of counts) addSums(all, more)
  const n = all.reduce((sum, count) => sum + count, 0)
  let below = 0
  for (const [bin, count] of all.entries()) {
    below += count
    if (n > 0 && 2 * below >= n) return middleOf(bin)
  }
  return null
}

function total(parts: readonly Sums[]): Sums {
  const sum = emptySums()
  for (const part of parts) addSums(sum, part)
  return sum
}

const mean = (values: readonly number[]): number | null =>
  ratio(
    values.reduce((sum, value) => sum + value, 0),
    values.length,
  )
const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null)
const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1
const named = <Value>(names: readonly string[], of: (name: string) => Value) =>
  Object.fromEntries(names.map((name) => [name, of(name)]))

function place<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}

/** Cells by the parts of their keys; metrics in the order of the contract, so that sums do not depend on arrival. */
function tree<Value>(cells: ReadonlyMap<string, Value>) {
  const kinds = new Map<string, Map<string, Map<string, Value>>>()
  const keys = [...cells.keys()].map((key) => [key, key.split('|')] as const)
  keys.sort(([, a], [, b]) => metricNames.indexOf(a[2]!) - metricNames.indexOf(b[2]!))
  for (const [key, [kind, name, metric]] of keys) {
    const names = place(kinds, kind!, () => new Map<string, Map<string, Value>>())
    place(names, name!, () => new Map<string, Value>()).set(metric!, cells.get(key)!)
  }
  return (kind: string) => kinds.get(kind) ?? new Map<string, Map<string, Value>>()
}
