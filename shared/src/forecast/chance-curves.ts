import { networkMetricNames } from '../metrics.ts'
import { contenderNames, type ContenderName } from '../model.ts'
import { chanceGrid, type Curve } from './chance.ts'

/** One chance that was said, as it was read off the peaks, and whether it came true. */
export type ChanceObservation = {
  readonly contender: ContenderName
  /** Place in networkMetricNames. */
  readonly v: number
  /** Before any curve; 0 teaches nothing, as it stays 0. */
  readonly chance: number
  readonly came: boolean
  readonly maturedAt: number
}

/** Plain JSON of at most some 30 kB; counts have faded to what they are worth in `hour` (ms / 3,600,000). */
export type ChanceState = {
  readonly hour: number
  /** `model mem_used_pct` → cases near each place of chanceGrid, and how many of them came true. */
  readonly cells: {
    readonly [cell: string]: { readonly cases: readonly number[]; readonly came: readonly number[] }
  }
}

const G = chanceGrid.length
const V = networkMetricNames.length
/**
 * After a day a case counts half, and a curve begins as if 200 cases at each of its places had come true as often as
 * was said. Measured, see model-training/LOG.md, "Chances that follow".
 */
const halfLifeHours = 24
const priorCases = 200

/**
 * What goes to the thread that applies it: [contenders × V], undefined where nothing was learnt. All forecasts share
 * its curves, so that a thousand of them carry each only once from thread to thread.
 */
export type Curves = readonly Curve[]

const placeOf = ({ contender, v }: Pick<ChanceObservation, 'contender' | 'v'>): number =>
  contenderNames.indexOf(contender) * V + v

/** The curve of a metric; undefined where nothing was learnt. */
export const curveIn = (
  curves: Curves | undefined,
  of: Pick<ChanceObservation, 'contender' | 'v'>,
): Curve => curves?.[placeOf(of)]

/**
 * Learns how often chances of each size come true on this fleet, metric by metric (binned reliability, as in Murphy
 * & Winkler 1977, made to never fall), and forgets by the hour. Observations come in the order in which they matured.
 */
export function openChanceCurves(kept?: ChanceState | undefined) {
  const cases = new Float64Array(contenderNames.length * V * G)
  const came = new Float64Array(cases.length)
  let hour = kept?.hour ?? -Infinity
  for (const [name, cell] of Object.entries(kept?.cells ?? {})) {
    const at = cellNames.get(name)
    const sound = [...cell.cases, ...cell.came].every((n) => Number.isFinite(n) && n >= 0)
    if (at === undefined || !sound || cell.cases.length !== G || cell.came.length !== G) continue
    cases.set(cell.cases, at)
    came.set(cell.came, at)
  }

  function fade(now: number): void {
    const factor = 0.5 ** ((now - hour) / halfLifeHours)
    for (let i = 0; i < cases.length; i++) {
      cases[i] = cases[i]! * factor
      came[i] = came[i]! * factor
    }
  }

  return {
    observe({ contender, v, chance, came: isTrue, maturedAt }: ChanceObservation): void {
      if (!(chance > 0 && chance <= 1)) return
      const now = Math.floor(maturedAt / 3_600_000)
      if (now > hour) {
        if (Number.isFinite(hour)) fade(now)
        hour = now
      }
      let i = 1
      while (i < G - 1 && chance > chanceGrid[i]!) i++
      const [low, high] = [chanceGrid[i - 1]!, chanceGrid[i]!]
      const share = Math.min(1, Math.max(0, (chance - low) / (high - low)))
      const at = G * placeOf({ contender, v }) + i
      cases[at - 1]! += 1 - share
      cases[at]! += share
      if (!isTrue) return
      came[at - 1]! += 1 - share
      came[at]! += share
    },

    /** See curveIn(). */
    table: (): Curves =>
      Array.from(cellNames.values(), (at): Curve => {
        if (cases.subarray(at, at + G).every((n) => n === 0)) return undefined
        return neverFalling(
          chanceGrid.map(
            (said, i) => (priorCases * said + came[at + i]!) / (priorCases + cases[at + i]!),
          ),
        )
      }),

    state(): ChanceState {
      const cells: { [cell: string]: ChanceState['cells'][string] } = {}
      const rounded = (of: Float64Array, at: number) =>
        Array.from(of.subarray(at, at + G), (n) => Number(n.toPrecision(9)))
      for (const [name, at] of cellNames) {
        if (cases.subarray(at, at + G).every((n) => n === 0)) continue
        cells[name] = { cases: rounded(cases, at), came: rounded(came, at) }
      }
      return { hour: Number.isFinite(hour) ? hour : 0, cells }
    },
  }
}

/** Half way between the highest so far and the lowest to come: what falls by chance is levelled. */
function neverFalling(values: readonly number[]): number[] {
  const highest: number[] = []
  for (const value of values) highest.push(Math.max(value, highest.at(-1) ?? value))
  const lowest: number[] = []
  for (const value of values.toReversed()) lowest.unshift(Math.min(value, lowest[0] ?? value))
  return highest.map((high, i) => (high + lowest[i]!) / 2)
}

/** In the order of Curves: where the counts of each begin. */
const cellNames = new Map<string, number>()
for (const contender of contenderNames) {
  for (const [v, metric] of networkMetricNames.entries()) {
    cellNames.set(`${contender} ${metric}`, G * placeOf({ contender, v }))
  }
}
