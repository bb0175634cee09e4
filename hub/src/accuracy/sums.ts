import { isPast } from '@harbinger/shared/limits'
import { type MetricName, networkMetricNames } from '@harbinger/shared/metrics'
import { peakMinutes } from '@harbinger/shared/forecast/quantiles'
import { loggedBaselines, loggedLeads, loggedLevels } from '../storage/forecast-log-body.ts'
import type { LogRow, Score } from '../storage/forecast-log-store.ts'

/** What is summed of scored points; every figure of a scorecard follows from these. */
export const fields = [
  'points',
  /** Points whose truth stays unknown. */
  'unknown',
  'truth',
  'pinball',
  /** Points within the 80 % band, and its summed width. */
  'covered',
  'width',
  'error',
  /** Points below each logged level; a point on it counts half. */
  'below10',
  'below50',
  'below90',
  'baselinePinball0',
  'baselinePinball1',
  'baselinePinball2',
  /** Points within the 80 % band of the first baseline. */
  'baselineCovered',
  /** Cases with a chance of reaching the limit, the summed chance, those that reached it, squared differences. */
  'cases',
  'chance',
  'reached',
  'brier',
] as const
export type Field = (typeof fields)[number]
export type Sums = Float64Array

const at = Object.fromEntries(fields.map((name, i) => [name, i])) as {
  readonly [f in Field]: number
}
export const emptySums = (): Sums => new Float64Array(fields.length)
export const sumOf = (sums: Sums, field: Field): number => sums[at[field]]!

export function addSums(to: Sums | Uint32Array, more: ArrayLike<number>): void {
  for (let i = 0; i < to.length; i++) to[i] = to[i]! + more[i]!
}

/** Absolute errors are counted in bins an eighth of a doubling wide, from 0.004 to 4,000. */
const binsPerDoubling = 8
const lowestDoubling = -8
export const bins = 20 * binsPerDoubling + 2

export const binOf = (error: number): number =>
  error < 2 ** lowestDoubling
    ? 0
    : Math.min(bins - 1, 1 + Math.floor((Math.log2(error) - lowestDoubling) * binsPerDoubling))

/** The middle of a bin: within 5 % of every error in it; 0 for what is too small to matter. */
export const middleOf = (bin: number): number =>
  bin === 0 ? 0 : 2 ** (lowestDoubling + (bin - 0.5) / binsPerDoubling)

/** Everything scored within one hour, by what it is broken down by: `lead|30|mem_used_pct`, `profile|…`, `source|…`. */
export type HourSums = {
  readonly cells: Map<string, Sums>
  /** Per `lead|…` cell, how many absolute errors fell into each bin. */
  readonly errors: Map<string, Uint32Array>
}

export const emptyHour = (): HourSums => ({ cells: new Map(), errors: new Map() })

/** Stands in a second score for a truth that the first one already had. */
export const scoredBefore = Infinity

const leads = loggedLeads.length
const Q = loggedLevels.length
const point = emptySums()

/** Adds one score to its hour. Sums depend on the order of addition in their last digit: it is that of the log. */
export function addScore(hour: HourSums, score: Score, row: LogRow): void {
  const { part, truth } = score
  row.metrics.forEach((logged, v) => {
    if (!logged) return
    const metric = networkMetricNames[v]!
    const y = truth[v]!
    if (y === scoredBefore) return
    point.fill(0)
    if (Number.isNaN(y)) {
      // Not known yet is not counted at all: its second score is still to come.
      if (score.final === 0) return
      point[at.unknown] = 1
    } else if (part < leads) {
      scoreStep(logged.steps, logged.baselines, part, y)
    } else {
      scorePeak(logged, part - leads, { metric, y })
    }
    const who = row.served ? '' : 'challenger:'
    if (part >= leads) {
      const minutes = peakMinutes[part - leads]!
      if (row.served) add(hour, `peak|${minutes}|${metric}`)
      return
    }
    add(hour, `source|${who}${logged.source}|${metric}`)
    if (!row.served) return
    const lead = `lead|${loggedLeads[part]}|${metric}`
    add(hour, lead)
    add(hour, `profile|${row.profile}|${metric}`)
    if (!Number.isNaN(y)) addError(hour, lead, Math.abs(y - logged.steps[part * Q + 1]!))
  })
}

function scoreStep(
  steps: Float32Array,
  baselines: readonly Float32Array[],
  part: number,
  y: number,
): void {
  const from = part * Q
  point[at.points] = 1
  point[at.truth] = Math.abs(y)
  point[at.pinball] = pinball(steps, from, y)
  point[at.covered] = within(steps, from, y)
  point[at.width] = steps[from + Q - 1]! - steps[from]!
  point[at.error] = Math.abs(y - steps[from + 1]!)
  for (let q = 0; q < Q; q++) {
    const level = steps[from + q]!
    point[at.below10 + q] = y < level ? 1 : y === level ? 0.5 : 0
  }
  for (let b = 0; b < loggedBaselines.length; b++) {
    point[at.baselinePinball0 + b] = pinball(baselines[b]!, from, y)
  }
  point[at.baselineCovered] = within(baselines[0]!, from, y)
}

function scorePeak(
  { peaks, breach, limit }: { peaks: Float32Array; breach: Float32Array; limit: number },
  p: number,
  { metric, y }: { readonly metric: MetricName; readonly y: number },
): void {
  const from = p * Q
  point[at.points] = 1
  point[at.truth] = Math.abs(y)
  point[at.pinball] = pinball(peaks, from, y)
  point[at.covered] = within(peaks, from, y)
  point[at.width] = peaks[from + Q - 1]! - peaks[from]!
  point[at.error] = Math.abs(y - peaks[from + 1]!)
  const chance = breach[p]!
  if (Number.isNaN(chance)) return
  const reached = isPast(metric, y, limit) ? 1 : 0
  point[at.cases] = 1
  point[at.chance] = chance
  point[at.reached] = reached
  point[at.brier] = (chance - reached) ** 2
}

function pinball(values: Float32Array, from: number, y: number): number {
  let sum = 0
  for (let q = 0; q < Q; q++) {
    const miss = y - values[from + q]!
    sum += Math.max(loggedLevels[q]! * miss, (loggedLevels[q]! - 1) * miss)
  }
  return sum
}

const within = (values: Float32Array, from: number, y: number): number =>
  y >= values[from]! && y <= values[from + Q - 1]! ? 1 : 0

function add({ cells }: HourSums, key: string): void {
  let sums = cells.get(key)
  if (!sums) cells.set(key, (sums = emptySums()))
  addSums(sums, point)
}

function addError({ errors }: HourSums, key: string, error: number): void {
  let counts = errors.get(key)
  if (!counts) errors.set(key, (counts = new Uint32Array(bins)))
  const bin = binOf(error)
  counts[bin] = counts[bin]! + 1
}

/** Adds all of an hour to a total. */
export function addHour(to: HourSums, { cells, errors }: HourSums): void {
  for (const [key, more] of cells) {
    let sums = to.cells.get(key)
    if (!sums) to.cells.set(key, (sums = emptySums()))
    addSums(sums, more)
  }
  for (const [key, more] of errors) {
    let counts = to.errors.get(key)
    if (!counts) to.errors.set(key, (counts = new Uint32Array(bins)))
    addSums(counts, more)
  }
}

/** As text, every digit kept; bins as pairs, because most are empty. */
export const toText = ({ cells, errors }: HourSums): string =>
  JSON.stringify({
    cells: [...cells].map(([key, sums]) => [key, [...sums]]),
    errors: [...errors].map(([key, counts]) => [
      key,
      [...counts.entries()].filter(([, n]) => n > 0),
    ]),
  })

export function fromText(text: string): HourSums {
  const { cells, errors } = JSON.parse(text) as {
    cells: [string, number[]][]
    errors: [string, [number, number][]][]
  }
  return {
    cells: new Map(cells.map(([key, sums]) => [key, Float64Array.from(sums)])),
    errors: new Map(
      errors.map(([key, pairs]) => {
        const counts = new Uint32Array(bins)
        for (const [bin, n] of pairs) counts[bin] = n
        return [key, counts]
      }),
    ),
  }
}
