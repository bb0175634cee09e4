import { isMetricName, type MetricName, metrics } from './metrics.ts'
import { isProfile, profiles } from './profiles.ts'
import { isServerName } from './server.ts'

/** Columns of a history file besides the metrics (docs/protocol.md, "History files"). */
export const historyKeyColumns = ['timestamp', 'server'] as const
export const historyOptionalColumns = ['profile', 'cores'] as const

export type HistoryColumns = {
  readonly metrics: readonly MetricName[]
  readonly ignored: readonly string[]
  readonly hasProfile: boolean
  readonly hasCores: boolean
}

/** Reads a header. Throws when a column that must be there is missing or stands there twice. */
export function readHistoryHeader(columns: readonly string[]): HistoryColumns {
  for (const name of historyKeyColumns) {
    if (!columns.includes(name)) {
      throw new Error(`column ${name} is missing; found: ${columns.join(', ') || 'none'}`)
    }
  }
  const twice = columns.find((name, i) => columns.indexOf(name) !== i)
  if (twice !== undefined) throw new Error(`column ${twice} stands there twice`)
  const known = new Set<string>([...historyKeyColumns, ...historyOptionalColumns])
  return {
    metrics: columns.filter(isMetricName),
    ignored: columns.filter((name) => !known.has(name) && !isMetricName(name)),
    hasProfile: columns.includes('profile'),
    hasCores: columns.includes('cores'),
  }
}

/** Undefined when `value` may stand in `column`, else what was expected there. null and undefined: not measured. */
export function historyCellProblem(column: string, value: unknown): string | undefined {
  const missing = value === null || value === undefined
  if (column === 'timestamp') {
    return typeof value === 'number' && Number.isFinite(value) && value >= 0
      ? undefined
      : 'expected a UTC time'
  }
  if (column === 'server') {
    return typeof value === 'string' && isServerName(value)
      ? undefined
      : 'expected 1–253 characters of A–Z a–z 0–9 . _ -'
  }
  if (missing) return undefined
  if (column === 'profile') {
    return typeof value === 'string' && isProfile(value)
      ? undefined
      : `expected one of ${profiles.join(', ')}`
  }
  if (column === 'cores') {
    return Number.isInteger(value) && (value as number) >= 1
      ? undefined
      : 'expected a whole number ≥ 1'
  }
  if (!isMetricName(column)) return undefined
  const { max, unit } = metrics[column]
  const fits =
    typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= (max ?? Infinity)
  return fits ? undefined : `expected ${max === undefined ? 'at least 0' : `0 to ${max}`} ${unit}`
}
