import { breachChance } from '@harbinger/shared/forecast/chance'
import { Q } from '@harbinger/shared/forecast/quantiles'
import type { MetricName } from '@harbinger/shared/metrics'
import type { Profile } from '@harbinger/shared/profiles'
import { severities, type Severity, severityLabel } from '@harbinger/shared/severity'
import { criticalLimit, limitedMetrics, worsens } from '@harbinger/shared/limits'
import { nextHalfHourSteps, type ServerQuantiles } from './predicted-peaks.ts'

/** The chance that one server has an incident it does not have now: a metric that passes its critical limit. */
export type IncidentChance = { readonly in30Minutes: number; readonly in8Hours: number }

/**
 * Undefined without a forecast. Metrics of one server move together, so the chance that any of them passes its limit
 * is taken as that of the likeliest. `breached` are past their limit already and are no news.
 */
export function incidentChance(
  forecast: ServerQuantiles,
  {
    profile,
    cores,
    breached = [],
  }: {
    readonly profile: Profile
    readonly cores?: number | undefined
    readonly breached?: readonly MetricName[]
  },
): IncidentChance | undefined {
  let in30Minutes = -1
  let in8Hours = -1
  for (const metric of limitedMetrics) {
    const of = forecast[metric]
    const threshold = criticalLimit(profile, metric, { cores })
    if (!of || threshold === undefined) continue
    const at = { threshold, worsens: worsens(metric) }
    const isNews = !breached.includes(metric)
    for (let step = 0; step < nextHalfHourSteps; step++) {
      const chance = isNews ? breachChance(of.quantiles, { ...at, offset: step * Q }) : 0
      in30Minutes = Math.max(in30Minutes, chance)
    }
    const longest = of.peaks.length - Q
    const chance = isNews
      ? breachChance(of.peaks, { ...at, offset: longest, curve: of.chances })
      : 0
    in8Hours = Math.max(in8Hours, chance)
  }
  if (in8Hours < 0) return undefined
  return { in30Minutes, in8Hours: Math.max(in30Minutes, in8Hours) }
}

export type ServerInFleet = {
  readonly name: string
  readonly severity: Severity | 'unknown'
  readonly score: number | null
  /** How many of its metrics are past their critical limit now. */
  readonly breaches: number
  readonly chance: IncidentChance | undefined
}

/** What chances of reaching a critical limit within 8 h were worth lately on this hub; null while none was scored. */
export type ChancesKept = {
  readonly days: number
  readonly cases: number
  /** The mean chance that was said, and the share that came true. */
  readonly expected: number
  readonly reached: number
} | null

export type Environment = {
  readonly status: Severity | 'unknown'
  readonly sentence: string
  /** Null when no server has a forecast. */
  readonly incidentProbability30m: number | null
  readonly incidentProbability8h: number | null
  /** How the two were computed, in words. */
  readonly how: string
  readonly bySeverity: { readonly [severity in Severity | 'unknown']: number }
}

/** "Are we fine?": the fleet in counts, chances and one sentence. */
export function assessEnvironment(
  servers: readonly ServerInFleet[],
  kept: ChancesKept,
): Environment {
  const bySeverity = countBySeverity(servers)
  const foreseen = servers.flatMap(({ chance }) => (chance ? [chance] : []))
  const any = (chances: readonly number[]): number | null =>
    chances.length === 0 ? null : 1 - chances.reduce((none, p) => none * (1 - p), 1)
  const in30 = any(foreseen.map(({ in30Minutes }) => in30Minutes))
  const in8 = any(foreseen.map(({ in8Hours }) => in8Hours))
  return {
    status: statusOf(bySeverity, servers.length),
    sentence: [
      nowSentence(servers, bySeverity),
      chanceSentence(in30, in8, kept),
      blindSentence(servers.length, foreseen.length),
    ]
      .filter(Boolean)
      .join(' '),
    incidentProbability30m: in30,
    incidentProbability8h: in8,
    how: `${howText(servers.length, foreseen)} ${keptText(kept)}`,
    bySeverity,
  }
}

function countBySeverity(servers: readonly ServerInFleet[]): Environment['bySeverity'] {
  const counts = Object.fromEntries([...severities, 'unknown' as const].map((s) => [s, 0])) as {
    [severity in Severity | 'unknown']: number
  }
  for (const { severity } of servers) counts[severity]++
  return counts
}

/** The worst severity that one server in a hundred has reached, and at least one. */
function statusOf(bySeverity: Environment['bySeverity'], total: number): Environment['status'] {
  if (total === bySeverity.unknown) return 'unknown'
  const enough = Math.max(1, Math.floor(total / 100))
  let reached = 0
  for (const severity of severities) {
    reached += bySeverity[severity]
    if (reached >= enough) return severity
  }
  return 'healthy'
}

function nowSentence(
  servers: readonly ServerInFleet[],
  bySeverity: Environment['bySeverity'],
): string {
  if (servers.length === 0) return 'No server reports yet.'
  if (bySeverity.unknown === servers.length) {
    return `Nothing is known of ${servers.length === 1 ? 'the one server' : `the ${servers.length} servers`} now.`
  }
  const inTrouble = servers
    .filter(({ severity }) => severity !== 'healthy' && severity !== 'unknown')
    .sort((a, b) => (b.score ?? 0) - (a.score ?? 0))
  const over = servers.filter(({ breaches }) => breaches > 0).length
  const limits =
    over === 0 ? '' : `, ${over} of them past a critical limit now`.replace(/^, 1 of them/, ', one')
  if (inTrouble.length === 0) {
    return bySeverity.unknown === 0
      ? `All ${servers.length} servers are healthy${over === 0 ? '' : `, but ${over} past a critical limit`}.`
      : `${bySeverity.healthy} of ${servers.length} servers are healthy, of ${bySeverity.unknown} nothing is known.`
  }
  const counts = severities
    .filter((severity) => severity !== 'healthy' && bySeverity[severity] > 0)
    .map((severity) => `${bySeverity[severity]} ${severityLabel(severity)}`)
  return `${inTrouble.length} of ${servers.length} servers need a look (${counts.join(', ')}; worst ${inTrouble[0]!.name})${limits}.`
}

function chanceSentence(in30: number | null, in8: number | null, kept: ChancesKept): string {
  if (in30 === null || in8 === null) return 'There is no forecast yet.'
  const unchecked = kept === null ? ', not checked on this fleet yet' : ''
  return `A new incident: ${chanceText(in30)} within 30 minutes, ${chanceText(in8)} within 8 hours${unchecked}.`
}

/** Servers without a forecast are not counted as safe; the sentence says how many there are. */
const blindSentence = (total: number, foreseen: number): string =>
  foreseen === 0 || foreseen === total
    ? ''
    : `${total - foreseen} ${total - foreseen === 1 ? 'server has' : 'servers have'} no forecast.`

function chanceText(p: number): string {
  if (p < 0.02) return 'less than 2 % likely'
  if (p > 0.98) return 'more than 98 % likely'
  return `${Math.round(100 * p)} % likely`
}

function howText(total: number, foreseen: readonly IncidentChance[]): string {
  if (foreseen.length === 0) return 'No server has a forecast, so no chance is computed.'
  const counted = foreseen.filter(({ in8Hours }) => in8Hours > 0).length
  return (
    `1 − Π(1 − p) over the ${foreseen.length} of ${total} servers that have a forecast, as if they failed ` +
    'independently; p is the chance that the likeliest of a server’s metrics newly passes its critical limit, read ' +
    'off the forecast’s quantiles and, within 8 hours, corrected by how often such chances came true here. ' +
    `${counted} servers count; for the others even the 98 % quantile stays within ` +
    'every limit, which is less than 2 % each and is taken as 0.'
  )
}

function keptText(kept: ChancesKept): string {
  if (kept === null) {
    return 'None of these chances has been compared with what followed on this hub yet: that begins 8 hours after its first forecasts.'
  }
  const share = (p: number) => `${(100 * p).toFixed(2)} %`
  return (
    `Of ${kept.cases.toLocaleString('en')} forecasts of single metrics in the last ${kept.days} days ` +
    `${share(kept.expected)} were expected to reach their limit within 8 hours, and ${share(kept.reached)} did.`
  )
}
