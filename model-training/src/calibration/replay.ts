import type { Adapted } from '@harbinger/shared/forecast/calibrate'
import type { Place } from '@harbinger/shared/forecast/calibration'
import {
  type CalibratorState,
  type Observation,
  openCalibrator,
} from '@harbinger/shared/forecast/calibrator'
import { breachChance } from '@harbinger/shared/forecast/chance'
import type { ChanceObservation } from '@harbinger/shared/forecast/chance-curves'
import { isPast, worsens } from '@harbinger/shared/limits'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { peakMinutes, Q, quantileLevels } from '@harbinger/shared/forecast/quantiles'
import { minuteMs } from '@harbinger/shared/window/series'
import { horizonSteps as F, stepMinutes, V } from '@harbinger/shared/window/window-batch'
import type { TruthBatch } from '../windows/truth.ts'

/** The steps a hub logs, in the order of their leads: 30 min, 1, 2, 4 and 7¾ h. */
export const replayedSteps = [2, 4, 8, 16, 31] as const
const low = quantileLevels.indexOf(0.1)
const high = quantileLevels.indexOf(0.9)
const hourMs = 60 * minuteMs

type Numbers = { readonly quantiles: Float32Array; readonly peaks: Float32Array }

/** A calibrator in a backtest: forecasts wait until their truth has matured, as they do on a hub. */
export function replay(
  learnt: CalibratorState | undefined,
  options: { readonly gain?: number | undefined } = {},
) {
  const calibrator = openCalibrator(
    learnt,
    options.gain === undefined ? {} : { gain: options.gain },
  )
  /** Hour in which the truth has matured → what is known by its end. */
  const waiting = new Map<number, { bands: Observation[]; chances: ChanceObservation[] }>()
  let known: Adapted = { bands: calibrator.adapted(), curves: calibrator.curves() }

  function listsOf(maturedAt: number) {
    const hour = Math.ceil(maturedAt / hourMs)
    let lists = waiting.get(hour)
    if (!lists) waiting.set(hour, (lists = { bands: [], chances: [] }))
    return lists
  }

  return {
    /** What is known by the last turn: see Adapted. */
    adapted: (): Adapted => known,
    state: calibrator.state,

    /** Tells the calibrator all that has matured by `now`; windows come in the order of time. */
    turn(now: number): void {
      const hours = [...waiting.keys()].filter((hour) => hour * hourMs <= now).sort((a, b) => a - b)
      for (const hour of hours) {
        const { bands, chances } = waiting.get(hour)!
        for (const observation of bands) calibrator.observe(observation)
        for (const observation of chances) calibrator.observeChance(observation)
        waiting.delete(hour)
      }
      if (hours.length > 0) known = { bands: calibrator.adapted(), curves: calibrator.curves() }
    },

    /** Keeps what was served of one metric until its truth has matured. */
    wait({
      place,
      end,
      numbers,
      thresholds,
      truth,
      row,
    }: {
      readonly place: Place
      readonly end: number
      readonly numbers: Numbers
      /** The server's own on that day, of this metric. */
      readonly thresholds: readonly number[]
      readonly truth: TruthBatch
      readonly row: number
    }): void {
      const { v } = place
      for (const step of replayedSteps) {
        const k = (row * F + step) * V + v
        if (truth.truthKnown[k] === 0) continue
        const maturedAt = end + (step + 1) * stepMinutes * minuteMs
        listsOf(maturedAt).bands.push({
          ...{ ...place, of: { step }, truth: truth.truth[k]! },
          low: numbers.quantiles[step * Q + low]!,
          high: numbers.quantiles[step * Q + high]!,
          maturedAt,
        })
      }
      for (const [peak, minutes] of peakMinutes.entries()) {
        const k = (row * peakMinutes.length + peak) * V + v
        if (truth.peakKnown[k] === 0) continue
        const maturedAt = end + minutes * minuteMs
        const worst = truth.peakTruth[k]!
        const lists = listsOf(maturedAt)
        lists.bands.push({
          ...{ ...place, of: { peak }, truth: worst },
          low: numbers.peaks[peak * Q + low]!,
          high: numbers.peaks[peak * Q + high]!,
          maturedAt,
        })
        const metric = networkMetricNames[v]!
        const { contender } = place
        for (const threshold of thresholds) {
          const of = { threshold, worsens: worsens(metric), offset: peak * Q }
          const chance = breachChance(numbers.peaks, of)
          const came = isPast(metric, worst, threshold)
          lists.chances.push({ contender, v, chance, came, maturedAt })
        }
      }
    },
  }
}
