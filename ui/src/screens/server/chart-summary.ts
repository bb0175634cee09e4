import { reading, span } from '../../words/numbers.ts'
import type { ShownMetric } from '../../words/shown-metrics.ts'
import { timeOfDay } from '../../words/times.ts'
import { extentOf, type History } from './history.ts'
import { type Outlook, stepAt } from './outlook.ts'

export type ForecastRow = {
  readonly ahead: string
  readonly time: string
  readonly median: string
  readonly band80: string
  readonly band96: string
}

const horizons = [30, 60, 120, 240, 480]

/** The forecast in numbers, for those who cannot or would rather not read a chart. */
export function toForecastRows(outlook: Outlook, shown: ShownMetric): ForecastRow[] {
  const number = (value: number | undefined) => reading(value, shown.unit)
  return horizons
    .filter((minutes) => minutes <= outlook.median.length * outlook.stepMinutes)
    .map((minutes) => {
      const step = stepAt(outlook, minutes)
      return {
        ahead: span(minutes),
        time: timeOfDay(outlook.windowEnd + minutes * 60_000),
        median: number(outlook.median[step]),
        band80: `${number(outlook.low80[step])} to ${number(outlook.high80[step])}`,
        band96: `${number(outlook.low96[step])} to ${number(outlook.high96[step])}`,
      }
    })
}

/** The chart in one paragraph. */
export function chartSummary(
  shown: ShownMetric,
  history: History,
  now: number | null,
  outlook: Outlook | undefined,
): string {
  const extent = extentOf(history)
  const past = extent
    ? `${shown.label}, last 24 hours: lowest ${reading(extent.lowest, shown.unit)}, mean ${reading(extent.mean, shown.unit)}, highest ${reading(extent.highest, shown.unit)}.`
    : `${shown.label}: no readings in the last 24 hours.`
  const rows = outlook ? toForecastRows(outlook, shown) : []
  const ahead = rows.map((row) => `in ${row.ahead} ${row.median} (80 %: ${row.band80})`)
  return `${past} Now ${reading(now, shown.unit)}. ${
    ahead.length > 0 ? `Forecast median ${ahead.join(', ')}.` : 'No forecast.'
  }`
}
