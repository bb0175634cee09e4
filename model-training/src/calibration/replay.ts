import type { Place } from '@harbinger/shared/forecast/calibration'
import {
  type CalibratorState,
  type Observation,
  openCalibrator,
} from '@harbinger/shared/forecast/calibrator'
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
  const waiting = new Map<number, Observation[]>()

  function put(observation: Observation): void {
    const hour = Math.ceil(observation.maturedAt / hourMs)
    const list = waiting.get(hour)
    if (list) list.push(observation)
    else waiting.set(hour, [observation])
  }

  return {
    adapted: calibrator.adapted,
    state: calibrator.state,

    /** Tells the calibrator all that has matured by `now`; windows come in the order of time. */
    turn(now: number): void {
      const hours = [...waiting.keys()].filter((hour) => hour * hourMs <= now).sort((a, b) => a - b)
      for (const hour of hours) {
        for (const observation of waiting.get(hour)!) calibrator.observe(observation)
        waiting.delete(hour)
      }
    },

    /** Keeps what was served of one metric until its truth has matured. */
    wait({
      place,
      end,
      numbers,
      truth,
      row,
    }: {
      readonly place: Place
      readonly end: number
      readonly numbers: Numbers
      readonly truth: TruthBatch
      readonly row: number
    }): void {
      const { v } = place
      for (const step of replayedSteps) {
        const k = (row * F + step) * V + v
        if (truth.truthKnown[k] === 0) continue
        put({
          ...{ ...place, of: { step }, truth: truth.truth[k]! },
          low: numbers.quantiles[step * Q + low]!,
          high: numbers.quantiles[step * Q + high]!,
          maturedAt: end + (step + 1) * stepMinutes * minuteMs,
        })
      }
      for (const [peak, minutes] of peakMinutes.entries()) {
        const k = (row * peakMinutes.length + peak) * V + v
        if (truth.peakKnown[k] === 0) continue
        put({
          ...{ ...place, of: { peak }, truth: truth.peakTruth[k]! },
          low: numbers.peaks[peak * Q + low]!,
          high: numbers.peaks[peak * Q + high]!,
          maturedAt: end + minutes * minuteMs,
        })
      }
    },
  }
}
