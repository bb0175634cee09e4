import { unitOf } from '@harbinger/shared/forecast/calibrate'
import {
  bucketOfStep,
  type Calibration,
  type CalibrationCell,
  fewestPoints,
  type Target,
} from '@harbinger/shared/forecast/calibration'
import type { BaselineName } from '@harbinger/shared/forecast/baseline-names'
import { Q, quantileLevels, quantileOfSorted } from '@harbinger/shared/forecast/quantiles'
import { networkMetricNames } from '@harbinger/shared/metrics'
import type { ContenderName } from '@harbinger/shared/model'
import { horizonSteps as F, V } from '@harbinger/shared/window/window-batch'
import type { Inference } from '../onnx/inference.ts'
import { collect, type Collected, type Stretch } from './collect.ts'
import { errorCell, type ErrorCell } from './error-cell.ts'

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

/**
 * How much of the shift that the fitted days ask for is taken: the days after ask for less, on which the whole made the
 * simulated fleet's loss larger than none did (LOG.md, "Calibration"). Matured truth does the rest.
 */
const trust = 0.5
/** Steps of one window are alike: every fourth is looked at, which ones differs from window to window. */
const stepStride = 4

/**
 * Fits how far each quantile of the steps has to be moved (conformalised quantile regression), on forecasts of days
 * the model never saw. Peaks and the chances read off them are left to what is learnt of matured truth: what four days
 * said of them was wrong on the next three, with a shift or a curve, per profile or pooled (LOG.md, "Calibration").
 */
export async function fitCalibration(options: FitOptions): Promise<Calibration> {
  const { stretches, every = 120, onProgress } = options
  const baselines = options.baselines ?? ['seven-day-mean-level']
  const cells = new Map<string, ErrorCell>()

  for (const [i, stretch] of stretches.entries()) {
    const progress = (share: number) => onProgress?.((i + share) / stretches.length)
    await collect(stretch, { ...options, baselines, every, onProgress: progress }, (collected) => {
      for (const [contender, said] of collected.said) {
        for (let row = 0; row < collected.size; row++) {
          addRow(cells, { contender, said, collected, row })
        }
      }
    })
  }

  return {
    version: 1,
    fittedOn: stretches.map(({ history, from, to }) => ({
      name: history.name,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      simulated: history.simulated,
    })),
    cells: toCells(cells),
  }
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
      const errors = Float64Array.from(members.flatMap((cell) => cell.errors(q))).sort()
      return Number(Math.min(20, Math.max(-20, trust * quantileOfSorted(errors, level))).toFixed(4))
    })
    return [{ contender, profile, metric, target, bucket: Number(bucket), points, shift }]
  })
}
