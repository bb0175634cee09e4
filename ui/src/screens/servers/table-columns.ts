import type { ServerSummary } from '@harbinger/shared/api'
import { count, reading } from '../../words/numbers.ts'
import { in30MinutesOf, lastOf, nowOf, shownMetrics } from '../../words/shown-metrics.ts'
import { byTimeToBreak } from '../../words/threshold.ts'

/** A column that is a number now and in half an hour. */
export type NumberColumn = {
  readonly key: string
  readonly label: string
  readonly now: (row: ServerSummary) => number | null
  /** Where there is none now: the newest, as old as the row's `lastSeen`. */
  readonly last: (row: ServerSummary) => number | null
  readonly next: (row: ServerSummary) => number | null
  readonly words: (value: number | null) => string
  /** A change below this is no trend: it would make every arrow point somewhere. */
  readonly calm: number
}

const calmOf = { '%': 1, 'MB/s': 1, sockets: 2, load: 0.05, days: Infinity } as const

const ofMetric = (key: string): NumberColumn => {
  const shown = shownMetrics.find((one) => one.key === key)!
  return {
    key,
    label: shown.label,
    now: (row) => nowOf(shown, row),
    last: (row) => lastOf(shown, row),
    next: (row) => in30MinutesOf(shown, row),
    words: (value) => (shown.unit === 'sockets' ? count(value) : reading(value, shown.unit)),
    calm: calmOf[shown.unit],
  }
}

const perCore = (row: ServerSummary, value: number | null | undefined) =>
  value == null || !row.cores ? null : value / row.cores

export const numberColumns: readonly NumberColumn[] = [
  ofMetric('cpu_used'),
  ofMetric('cpu_iowait_pct'),
  ofMetric('mem_used_pct'),
  ofMetric('swap_used_pct'),
  {
    key: 'load',
    label: 'Load per core',
    now: (row) => perCore(row, row.metrics.load_average?.now),
    last: (row) => perCore(row, row.metrics.load_average?.last),
    next: (row) => perCore(row, row.metrics.load_average?.in30Minutes),
    words: (value) => reading(value, 'load'),
    calm: 0.05,
  },
  ofMetric('back_close_wait'),
  ofMetric('front_close_wait'),
]

export type Trend = 'rising' | 'falling' | 'steady' | null

export function trendOf({ now, next, calm }: NumberColumn, row: ServerSummary): Trend {
  const from = now(row)
  const to = next(row)
  if (from === null || to === null) return null
  if (Math.abs(to - from) < calm) return 'steady'
  return to > from ? 'rising' : 'falling'
}

export type Sort = { readonly key: string; readonly descending: boolean }

export const parseSort = (text: string | null): Sort =>
  text === null || text === ''
    ? { key: 'risk', descending: true }
    : { key: text.replace(/^-/, ''), descending: text.startsWith('-') }

const byName = new Intl.Collator('en', { numeric: true })

/** Unknown is neither high nor low: it stands last either way. */
export function sorted(rows: readonly ServerSummary[], { key, descending }: Sort): ServerSummary[] {
  const names = (a: ServerSummary, b: ServerSummary) => byName.compare(a.name, b.name)
  const sign = descending ? -1 : 1
  if (key === 'name') return [...rows].sort((a, b) => sign * names(a, b))
  if (key === 'next') return [...rows].sort((a, b) => sign * byTimeToBreak(a, b))
  const column = numberColumns.find((one) => one.key === key)
  const valueOf = (row: ServerSummary): number | null =>
    key === 'lastSeen'
      ? row.lastSeen === null
        ? null
        : Date.parse(row.lastSeen)
      : column
        ? column.now(row)
        : row.risk
  return [...rows].sort((a, b) => {
    const x = valueOf(a)
    const y = valueOf(b)
    if (x === null || y === null) return x === y ? names(a, b) : x === null ? 1 : -1
    return sign * (x - y) || names(a, b)
  })
}
