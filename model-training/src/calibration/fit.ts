import { openCalibration, unitOf } from '@harbinger/shared/forecast/calibrate'
import {
  bucketOfStep,
  type Calibration,
  type CalibrationCell,
  type ChanceCurve,
  fewestPoints,
  type Target,
} from '@harbinger/shared/forecast/calibration'
import type { BaselineName } from '@harbinger/shared/forecast/baseline-names'
import { breachChance } from '@harbinger/shared/forecast/chance'
import {
  medianIndex,
  peakMinutes,
  Q,
  quantileLevels,
  quantileOfSorted,
} from '@harbinger/shared/forecast/quantiles'
import { settle } from '@harbinger/shared/forecast/settle'
import { worsens } from '@harbinger/shared/limits'
import { networkMetricNames } from '@harbinger/shared/metrics'
import type { ContenderName } from '@harbinger/shared/model'
import { horizonSteps as F, V } from '@harbinger/shared/window/window-batch'
import type { Inference } from '../onnx/inference.ts'
import { collect, type Collected, type Stretch } from './collect.ts'
import { type Cases, isotonic } from './isotonic.ts'
import { errorCell, type ErrorCell } from './error-cell.ts'
import { pickMetric } from './pick-metric.ts'
import { ownThresholds } from './thresholds.ts'

export type FitOptions = {
  /** Undefined: only baselines are calibrated. */
  readonly inference: Inference | undefined
  /** Those that may serve. Default: the one that serves where nothing else does. */
  readonly baselines?: readonly BaselineName[]
  /** Days that neither trained the model nor are reported. */
  readonly stretches: readonly Stretch[]
  /** Minutes between origins; default 120. */
  readonly every?: number
  readonly stopped?: (() => boolean) | undefined
  readonly onProgress?: ((share: number) => void) | undefined
}

const P = peakMinutes.length
/** Steps of one window are alike: every fourth is looked at, which ones differs from window to window. */
const stepStride = 4

/**
 * Fits how far each quantile has to be moved (conformalised quantile regression) and what a chance read off the peaks
 * is worth, on forecasts of days the model never saw.
 */
export async function fitCalibration(options: FitOptions): Promise<Calibration> {
  const { stretches, every = 120, onProgress } = options
  const baselines = options.baselines ?? ['seven-day-mean-level']
  const cells = new Map<string, ErrorCell>()
  const kept: { contender: ContenderName; rows: Kept[] }[] = []

  for (const [i, stretch] of stretches.entries()) {
    const thresholds = ownThresholds(stretch.history, stretch.from)
    const progress = (share: number) => onProgress?.((i + share) / stretches.length)
    await collect(stretch, { ...options, baselines, every, onProgress: progress }, (collected) => {
      for (const [contender, said] of collected.said) {
        for (let row = 0; row < collected.size; row++) {
          addRow(cells, { contender, said, collected, row })
          kept.push({ contender, rows: keepRow({ said, collected, row, thresholds }) })
        }
      }
    })
  }

  const calibration: Calibration = {
    version: 1,
    fittedOn: stretches.map(({ history, from, to }) => ({
      name: history.name,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      simulated: history.simulated,
    })),
    cells: toCells(cells),
    chances: [],
  }
  return { ...calibration, chances: fitChances(calibration, kept) }
}

type Said = { readonly quantiles: Float32Array; readonly peaks: Float32Array }

function addRow(
  cells: Map<string, ErrorCell>,
  {
    contender,
    said,
    collected: { truth, places },
    row,
  }: { contender: ContenderName; said: Said; collected: Collected; row: number },
): void {
  const profile = places[row]!.server.profile ?? 'unknown'
  const add = (v: number, target: Target, bucket: number): ErrorCell => {
    const name = [contender, profile, networkMetricNames[v]!, target, bucket].join(' ')
    let cell = cells.get(name)
    if (!cell) cells.set(name, (cell = errorCell()))
    return cell
  }
  for (let v = 0; v < V; v++) {
    for (let f = row % stepStride; f < F; f += stepStride) {
      const k = (row * F + f) * V + v
      if (truth.truthKnown[k] === 0) continue
      add(v, 'step', bucketOfStep(f)).add(said.quantiles, k * Q, {
        truth: truth.truth[k]!,
        unit: unitOf(said.quantiles, k * Q, v),
      })
    }
    for (let p = 0; p < P; p++) {
      const k = (row * P + p) * V + v
      if (truth.peakKnown[k] === 0) continue
      add(v, 'peak', p).add(said.peaks, k * Q, {
        truth: truth.peakTruth[k]!,
        unit: unitOf(said.peaks, k * Q, v),
      })
    }
  }
}

/** Groups of at least 200 points, and the larger groups that smaller ones borrow from. */
function toCells(cells: ReadonlyMap<string, ErrorCell>): CalibrationCell[] {
  const groups = new Map<string, ErrorCell[]>()
  for (const [name, cell] of cells) {
    const [contender, profile, metric, target, bucket] = name.split(' ')
    for (const group of [
      [contender, profile, metric, target, bucket],
      [contender, null, metric, target, bucket],
      [contender, null, null, target, bucket],
    ]) {
      const key = JSON.stringify(group)
      groups.set(key, [...(groups.get(key) ?? []), cell])
    }
  }
  return [...groups].flatMap(([key, members]): CalibrationCell[] => {
    const points = members.reduce((sum, cell) => sum + cell.points(), 0)
    if (points < fewestPoints) return []
    const [contender, profile, metric, target, bucket] = JSON.parse(key) as [
      CalibrationCell['contender'],
      CalibrationCell['profile'],
      CalibrationCell['metric'],
      Target,
      string,
    ]
    const shift = quantileLevels.map((level, q) => {
      // Moving the median gained nothing on the real trace (LOG.md), and parts of the CPU keep their sum.
      if (q === medianIndex && target === 'step') return 0
      const errors = Float64Array.from(members.flatMap((cell) => cell.errors(q))).sort()
      return Number(Math.min(20, Math.max(-20, quantileOfSorted(errors, level))).toFixed(4))
    })
    return [{ contender, profile, metric, target, bucket: Number(bucket), points, shift }]
  })
}

/** The numbers of one metric of one window whose peaks have thresholds to be held against. */
type Kept = {
  readonly place: {
    readonly profile: Collected['places'][number]['server']['profile']
    readonly v: number
  }
  readonly numbers: Said
  readonly worst: readonly (number | undefined)[]
  readonly thresholds: readonly number[]
}

function keepRow({
  said,
  collected: { truth, places },
  row,
  thresholds,
}: {
  said: Said
  collected: Collected
  row: number
  thresholds: readonly (readonly (readonly number[])[])[]
}): Kept[] {
  const { server, index } = places[row]!
  // One metric of each window, another from window to window: the same peaks are said for all.
  const v = (row + Math.floor(places[row]!.end / 3_600_000)) % V
  const own = thresholds[index]![v]!
  if (own.length === 0) return []
  const worst = Array.from({ length: P }, (_, p) => {
    const k = (row * P + p) * V + v
    return truth.peakKnown[k] === 0 ? undefined : truth.peakTruth[k]!
  })
  const place = { profile: server.profile, v }
  return [{ place, numbers: pickMetric(said, row, v), worst, thresholds: own }]
}

function fitChances(
  calibration: Calibration,
  kept: readonly { contender: ContenderName; rows: readonly Kept[] }[],
): Calibration['chances'] {
  const calibrate = openCalibration(calibration)
  const groups = new Map<string, Cases>()
  const add = (group: readonly (string | null)[], said: number, came: boolean): void => {
    const key = JSON.stringify(group)
    let cases = groups.get(key)
    if (!cases) groups.set(key, (cases = { said: [], came: [] }))
    cases.said.push(said)
    cases.came.push(came ? 1 : 0)
  }
  for (const { contender, rows } of kept) {
    for (const { place, numbers, worst, thresholds } of rows) {
      const metric = networkMetricNames[place.v]!
      calibrate(numbers, { contender, ...place })
      if (!settle(numbers, metric)) continue
      const direction = worsens(metric)
      worst.forEach((reading, p) => {
        if (reading === undefined) return
        for (const threshold of thresholds) {
          const at = { threshold, worsens: direction, offset: p * Q }
          const came = direction === 'up' ? reading >= threshold : reading <= threshold
          const said = breachChance(numbers.peaks, at)
          // A curve per profile, which the file allows, was worse: on the real trace 44 % said was 61 %.
          add([contender, null], said, came)
        }
      })
    }
  }
  return [...groups].flatMap(([key, cases]) => {
    const [contender, profile] = JSON.parse(key) as [ContenderName, ChanceCurve['profile']]
    const came = isotonic(cases)
    return came ? [{ contender, profile, cases: cases.said.length, came: [...came] }] : []
  })
}
