import {
  historySteps as T,
  horizonSteps as F,
  V,
  type WindowBatch,
} from '../window/window-batch.ts'

/**
 * How fast a server that is above its usual level goes back to it: the correction halves every so many steps of 15
 * minutes. Chosen on days 7–25 of the real trace (model-training/LOG.md).
 */
export const correctionHalfLifeSteps = 16
const decay = 0.5 ** (1 / correctionHalfLifeSteps)
/** Steps whose mean deviation from the usual is "the level now": the last half hour. */
const levelSteps = 2

/**
 * Writes the baseline "7-day mean + level" of row `row`: the mean of the same time on the last 7 days, plus today's
 * deviation from it, fading out. Where no such day is known its short-history form: the level of the last half hour
 * fading into the mean of the window. A metric that was never measured gets 0; its forecast is not used.
 */
export function fillBaseline(batch: WindowBatch, row: number): void {
  const { past, pastKnown, seasonalPast, seasonalPastKnown, seasonal, seasonalKnown } = batch
  for (let v = 0; v < V; v++) {
    let sum = 0
    let known = 0
    let level = 0
    let levelN = 0
    let deviation = 0
    let deviationN = 0
    for (let t = T - 1; t >= 0; t--) {
      const k = (row * T + t) * V + v
      const share = pastKnown[k]!
      if (share === 0) continue
      const x = past[2 * k]!
      sum += share * x
      known += share
      if (levelN < levelSteps) {
        level += x
        levelN++
      }
      if (deviationN < levelSteps && seasonalPastKnown[k]! > 0) {
        deviation += x - seasonalPast[k]!
        deviationN++
      }
    }
    const mean = known > 0 ? sum / known : 0
    const offset = levelN > 0 ? level / levelN - mean : 0
    const lifted = deviationN > 0 ? deviation / deviationN : 0
    let fade = decay
    for (let f = 0; f < F; f++) {
      const k = (row * F + f) * V + v
      const usual = seasonalKnown[k]! > 0 && deviationN > 0
      const value = usual ? seasonal[k]! + lifted * fade : mean + offset * fade
      batch.baseline[k] = Math.max(0, value)
      fade *= decay
    }
  }
}
