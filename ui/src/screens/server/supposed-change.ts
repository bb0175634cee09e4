import type { ChangeKind, WhatIf, WhatIfChange } from '@harbinger/shared/explanation'
import type { MetricName } from '@harbinger/shared/metrics'
import { reading } from '../../words/numbers.ts'
import { shownMetrics } from '../../words/shown-metrics.ts'

/** What can be changed on the page: the metrics as measured, not CPU used, which follows from its parts. */
export const changeable: readonly { readonly metric: MetricName; readonly label: string }[] = [
  { metric: 'cpu_user_pct', label: 'CPU user' },
  { metric: 'cpu_sys_pct', label: 'CPU system' },
  ...shownMetrics
    .filter(({ metric }) => metric !== 'cpu_idle_pct' && metric !== 'uptime_days')
    .map(({ metric, label }) => ({ metric, label })),
]

export const ways: readonly { readonly kind: ChangeKind; readonly label: string }[] = [
  { kind: 'multiply', label: 'times' },
  { kind: 'add', label: 'plus' },
  { kind: 'set', label: 'set to' },
]

export const toChange = (metric: MetricName, kind: ChangeKind, value: number): WhatIfChange => ({
  metric,
  [kind]: value,
})

/** What people ask first. */
export const presets: readonly { readonly label: string; readonly change: WhatIfChange }[] = [
  { label: 'Halve CPU user', change: { metric: 'cpu_user_pct', multiply: 0.5 } },
  { label: 'Free 10 points of memory', change: { metric: 'mem_used_pct', add: -10 } },
  { label: 'Halve network in', change: { metric: 'net_in_mb_s', multiply: 0.5 } },
  { label: 'Halve I/O wait', change: { metric: 'cpu_iowait_pct', multiply: 0.5 } },
]

export type PeakRow = {
  readonly label: string
  readonly before: string
  readonly after: string
  readonly difference: string
}

/** The highest median of the 8 h, before and after; metrics that differ by nothing that shows are left out. */
export function toPeakRows({ before, after }: Pick<WhatIf, 'before' | 'after'>): PeakRow[] {
  return shownMetrics.flatMap((shown) => {
    const highest = (of: WhatIf['before']): number | undefined => {
      const steps = of.metrics[shown.metric]?.quantiles['0.5']
      if (!steps) return undefined
      return shown.inverted ? 100 - Math.min(...steps) : Math.max(...steps)
    }
    const was = highest(before)
    const is = highest(after)
    if (was === undefined || is === undefined || shown.metric === 'uptime_days') return []
    const row = { before: reading(was, shown.unit), after: reading(is, shown.unit) }
    if (row.before === row.after) return []
    const sign = is < was ? '−' : '+'
    return [
      {
        label: shown.label,
        ...row,
        difference: `${sign}${reading(Math.abs(is - was), shown.unit)}`,
      },
    ]
  })
}
