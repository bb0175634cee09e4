import type { Forecast } from '@harbinger/shared/api'
import type { WhatIf, WhatIfChange, WhatIfRequest } from '@harbinger/shared/explanation'
import { type MetricName, metricNames } from '@harbinger/shared/metrics'
import { duration } from '../view/sentence.ts'
import { amount, label } from './shown.ts'

/** A forecast and the risk it comes to. */
export type Side = { readonly forecast: Forecast; readonly risk: WhatIf['risk']['before'] }

/** Differences are told of this many metrics at most, the largest first. */
const most = 3

/** The answer in a few sentences: what was changed, what would come of it, who says so. */
export function whatIfText({
  before,
  after,
  changes,
  minutes,
  request,
}: {
  readonly before: Side
  readonly after: Side
  readonly changes: readonly WhatIfChange[]
  readonly minutes: number
  readonly request: WhatIfRequest
}): string {
  const what = [
    ...(changes.length > 0
      ? [`${changes.map(changeText).join(', ')} over the last ${duration(minutes)}`]
      : []),
    ...(request.profile ? [`profile ${request.profile}`] : []),
    ...(request.cores ? [`${request.cores} cores`] : []),
    ...(request.memoryGib ? [`${request.memoryGib} GiB of memory`] : []),
  ].join(', ')
  const peaks = metricNames
    .flatMap((metric) => peakChange(metric, before, after))
    .sort((a, b) => b.size - a.size)
    .slice(0, most)
    .map(({ text }) => text)
  const outcome =
    peaks.length > 0 ? `${peaks.join('; ')}` : 'no expected peak of the next 8 h would differ'
  return `With ${what}: ${outcome}. ${riskText(before, after)} ${sourceText(after)}`
}

function changeText({ metric, multiply, add, set }: WhatIfChange): string {
  const name = metric === 'cpu_idle_pct' ? 'CPU idle' : label(metric)
  if (set !== undefined) return `${name} at ${amountOf(set, metric)}`
  if (multiply !== undefined) return `${name} × ${multiply}`
  return `${name} ${add! < 0 ? '−' : '+'} ${amountOf(Math.abs(add!), metric)}`
}

const amountOf = (value: number, metric: MetricName): string => amount(value, metric)

function peakChange(metric: MetricName, before: Side, after: Side) {
  const a = peak(metric, before)
  const b = peak(metric, after)
  if (a === undefined || b === undefined || metric === 'uptime_days') return []
  const [was, is] = [amount(a, metric), amount(b, metric)]
  if (was === is) return []
  // Of a band of this width it is how much.
  const size = Math.abs(b - a) / Math.max(1e-6, bandOf(metric, before))
  return [{ size, text: `${label(metric)} is expected to peak at ${is} instead of ${was}` }]
}

/** Even odds of the highest within 8 h; of CPU used its highest 15-minute mean. */
function peak(metric: MetricName, { forecast }: Side): number | undefined {
  if (metric !== 'cpu_idle_pct') return forecast.peaks['480']?.[metric]?.['0.5']
  const steps = forecast.metrics[metric]?.quantiles['0.5']
  return steps && 100 - Math.min(...steps)
}

function bandOf(metric: MetricName, { forecast }: Side): number {
  const of = forecast.metrics[metric]?.quantiles
  const low = of?.['0.1'] ?? []
  const high = of?.['0.9'] ?? []
  return high.reduce((sum, value, i) => sum + value - low[i]!, 0) / Math.max(1, high.length)
}

function riskText(before: Side, after: Side): string {
  const { risk: was } = before.risk
  const { risk: is } = after.risk
  if (was === null || is === null) return 'The risk is not known.'
  if (was === is) return `Risk stays at ${was}.`
  return `Risk would be ${is} instead of ${was}.`
}

function sourceText({ forecast }: Side): string {
  const sources = new Set(Object.values(forecast.metrics).map(({ source }) => source))
  const models = [...sources].filter((source) => source.startsWith('model:'))
  const caution =
    'It is what the forecast would be had that been measured, no promise of what an action does.'
  return models.length > 0
    ? `By ${models.map((source) => source.replace(':', ' ')).join(', ')} where it serves. ${caution}`
    : `No model serves: by the baselines alone, each metric from its own past. ${caution}`
}
