import { networkMetricNames } from '../metrics.ts'
import { contenderNames, type ContenderName } from '../model.ts'
import { type Profile, profiles } from '../profiles.ts'
import { type ChanceObservation, type ChanceState, openChanceCurves } from './chance-curves.ts'
import { bucketOfStep, calibrationBuckets, cellCount, cellIndex, targets } from './calibration.ts'

/** One matured number: what was said of it, and what came. */
export type Observation = {
  readonly contender: ContenderName
  readonly profile: Profile | null | undefined
  /** Place in networkMetricNames. */
  readonly v: number
  /** A step (0 … 31), or which of the peaks of 1, 4 and 8 hours (0 … 2). */
  readonly of: { readonly step: number } | { readonly peak: number }
  /** The 10 % and 90 % quantile exactly as they were served (calibrated and adapted), in the metric's unit. */
  readonly low: number
  readonly high: number
  readonly truth: number
  /** When the last reading that the truth is made of was in (ms): never before the end of the step or the peak. */
  readonly maturedAt: number
}

/** What a calibrator has learnt, to be kept beside the model. Plain JSON of at most some 100 kB. */
export type CalibratorState = {
  readonly version: 1
  /** Hour (ms / 3,600,000) whose observations are still being gathered. */
  readonly hour: number
  /** Cell name → log of the factor on the band below and above the median. */
  readonly factors: { readonly [cell: string]: readonly [below: number, above: number] }
  /** Cell name → points of the hour, and how many of them were below the 10 % and above the 90 % quantile. */
  readonly gathering: {
    readonly [cell: string]: readonly [points: number, below: number, above: number]
  }
  /** How often chances came true; absent in what was kept before they were learnt. */
  readonly chances?: ChanceState
}

export type Calibrator = ReturnType<typeof openCalibrator>

/**
 * How fast a band follows: the share by which it grows in an hour in which every truth lies beyond it. Measured, see
 * model-training/LOG.md, "Calibration".
 */
const defaultGain = 0.2
/** An hour with this many points counts half as much as one with very many. */
const shyPoints = 20
/** No band becomes narrower than a quarter or wider than four times what was fitted. */
const furthest = Math.log(4)
const tail = 0.1

/**
 * Keeps bands honest as a fleet changes: adaptive conformal prediction by quantile tracking (Gibbs & Candès 2021;
 * the P part of Angelopoulos, Candès & Tibshirani 2023), one factor per side of the band and cell. Each hour a side
 * that missed more than 10 % of the truth is widened and one that missed less is narrowed. Only truth that has matured
 * is taken, and the caller passes it in the order in which it matured.
 */
export function openCalibrator(
  kept?: CalibratorState | undefined,
  { gain = defaultGain }: { readonly gain?: number } = {},
) {
  /** [cell][below, above]: log of the factor. */
  const logs = new Float32Array(cellCount * 2)
  const gathered = new Float32Array(cellCount * 3)
  const touched = new Set<number>()
  const curves = openChanceCurves(kept?.chances)
  let hour = -Infinity
  if (kept?.version === 1) {
    hour = kept.hour
    for (const [name, pair] of Object.entries(kept.factors)) put(logs, name, pair)
    for (const [name, sums] of Object.entries(kept.gathering)) {
      const cell = put(gathered, name, sums)
      if (cell !== undefined) touched.add(cell)
    }
  }

  function closeHour(): void {
    for (const cell of touched) {
      const points = gathered[3 * cell]!
      const step = (gain * points) / (points + shyPoints)
      for (let side = 0; side < 2; side++) {
        const missed = gathered[3 * cell + 1 + side]! / points
        const next = logs[2 * cell + side]! + step * (missed - tail)
        logs[2 * cell + side] = Math.min(furthest, Math.max(-furthest, next))
      }
      gathered.fill(0, 3 * cell, 3 * cell + 3)
    }
    touched.clear()
  }

  return {
    /** Takes one matured number. What is not finite is left out. */
    observe({ contender, profile, v, of, low, high, truth, maturedAt }: Observation): void {
      if (![low, high, truth].every(Number.isFinite)) return
      const now = Math.floor(maturedAt / 3_600_000)
      if (now > hour) {
        closeHour()
        hour = now
      }
      const place = { contender, profile, v }
      const cell =
        'step' in of
          ? cellIndex(place, 'step', bucketOfStep(of.step))
          : cellIndex(place, 'peak', of.peak)
      touched.add(cell)
      gathered[3 * cell]! += 1
      // A truth exactly at the edge, as 0 often is, says nothing of which way to move: it counts as expected.
      gathered[3 * cell + 1]! += truth < low ? 1 : truth === low ? tail : 0
      gathered[3 * cell + 2]! += truth > high ? 1 : truth === high ? tail : 0
    },

    /** Takes one chance that was said of one of the server's own thresholds. */
    observeChance: (observation: ChanceObservation): void => curves.observe(observation),

    /** How often chances come true: see curveIn(). */
    curves: curves.table,

    /**
     * [cellCount][below, above]: what calibrate() multiplies the bands by, as logarithms. Goes to the thread that
     * applies them; a view, to be copied before it is given away.
     */
    adapted: (): Float32Array => logs,

    state(): CalibratorState {
      const factors: { [cell: string]: readonly [number, number] } = {}
      const gathering: { [cell: string]: readonly [number, number, number] } = {}
      eachCell((name, cell) => {
        const [below, above] = [logs[2 * cell]!, logs[2 * cell + 1]!]
        if (below !== 0 || above !== 0) factors[name] = [below, above]
        const [points, low, high] = gathered.subarray(3 * cell, 3 * cell + 3)
        if (points! > 0) gathering[name] = [points!, low!, high!]
      })
      const known = { hour: Number.isFinite(hour) ? hour : 0, factors, gathering }
      return { version: 1, ...known, chances: curves.state() }
    },
  }
}

/** Names outlive a metric that is added; indices would not. Unknown names are forgotten. */
function eachCell(use: (name: string, cell: number) => void): void {
  for (const [name, cell] of cellNames) use(name, cell)
}

function put(into: Float32Array, name: string, values: readonly number[]): number | undefined {
  const cell = cellNames.get(name)
  if (cell === undefined || !values.every(Number.isFinite)) return undefined
  into.set(values, cell * values.length)
  return cell
}

const cellNames = new Map<string, number>()
for (const contender of contenderNames) {
  for (const profile of [undefined, ...profiles]) {
    for (const [v, metric] of networkMetricNames.entries()) {
      for (const target of targets) {
        for (let bucket = 0; bucket < calibrationBuckets; bucket++) {
          const name = [contender, profile ?? 'unknown', metric, target, bucket].join(' ')
          cellNames.set(name, cellIndex({ contender, profile, v }, target, bucket))
        }
      }
    }
  }
}
