import type { History } from './history.ts'
import type { Outlook } from './outlook.ts'

/** Undefined: another line has a point here; null: a gap. uPlot tells the two apart. */
export type Column = (number | null | undefined)[]

/** Seconds, then history mean and max, then 96 % high, 80 % high, median, 80 % low, 96 % low, then what-if median. */
export type ChartColumns = [number[], ...Column[]]

const forecastLines = ['high96', 'high80', 'median', 'low80', 'low96'] as const

/** History and forecast on one axis of time, and what the forecast would be with changed input. */
export function toColumns(
  history: History,
  outlook: Outlook | undefined,
  whatIf?: Outlook,
): ChartColumns {
  const ahead = outlook ? forecastPoints(outlook) : []
  const supposed = whatIf ? forecastPoints(whatIf) : []
  const all = [...history.at, ...[...ahead, ...supposed].map(({ at }) => at)]
  const times = [...new Set(all)].sort((a, b) => a - b)
  const index = new Map(times.map((time, i) => [time, i]))
  const empty = (): Column => new Array<number | null | undefined>(times.length).fill(undefined)
  const mean = empty()
  const max = empty()
  const lines = forecastLines.map(empty)

  history.at.forEach((time, i) => {
    mean[index.get(time)!] = history.mean[i]!
    if (history.max.length > 0) max[index.get(time)!] = history.max[i]!
  })
  for (const { at, step } of ahead)
    forecastLines.forEach((line, i) => {
      lines[i]![index.get(at)!] = outlook![line][step] ?? null
    })
  const other = empty()
  for (const { at, step } of supposed) other[index.get(at)!] = whatIf!.median[step] ?? null
  return [times.map((time) => time / 1000), mean, max, ...lines, other]
}

/** Each step stands at its middle; the first and the last reach to the ends of what they cover. */
function forecastPoints({ windowEnd, stepMinutes, median }: Outlook) {
  const stepMs = stepMinutes * 60_000
  const middles = median.map((_, step) => ({ at: windowEnd + (step + 0.5) * stepMs, step }))
  return [
    { at: windowEnd, step: 0 },
    ...middles,
    { at: windowEnd + median.length * stepMs, step: median.length - 1 },
  ]
}

/** The scale of the y axis: percentages that matter as a share are 0 to 100, the rest fits what there is. */
export function yRange(
  columns: ChartColumns,
  { limits, max }: { readonly limits: readonly number[]; readonly max: 100 | undefined },
): [number, number] {
  let highest = 0
  for (const column of columns.slice(1) as Column[])
    for (const value of column) if (value != null && value > highest) highest = value
  // A limit that is far above would flatten the line; the words still name it.
  for (const limit of limits)
    if (limit <= highest * 3 || limit <= 30) highest = Math.max(highest, limit)
  const roomy = highest * 1.1 || 1
  if (max === undefined) return [0, roomy]
  return [0, roomy > 60 ? max : Math.max(10, roomy)]
}
