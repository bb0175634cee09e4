import { Q } from '@harbinger/shared/forecast/quantiles'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { addSample, minuteMs } from '@harbinger/shared/window/series'
import { horizonSteps, V } from '@harbinger/shared/window/window-batch'
import { expect, test } from 'vitest'
import { closeAllQuarters, type FleetHistory, spanSeries } from '../history/fleet-history.ts'
import { forecastWidths, type Inference } from '../onnx/inference.ts'
import { randomStream } from '../train/random.ts'
import { fitCalibration } from './fit.ts'
import { judgeCalibration } from './judge.ts'

const dayMs = 86_400_000
const t0 = Date.UTC(2025, 0, 6)
const v = networkMetricNames.indexOf('mem_used_pct')
/** Standard normal at the levels of a forecast. */
const normal = [-2.054, -1.282, -0.674, 0, 0.674, 1.282, 2.054]

/** Memory of Gaussian noise around 50 %, sd 5, a new level every quarter of an hour. */
function history(seed: number): FleetHistory {
  const random = randomStream(seed)
  const to = t0 + 8 * dayMs - 1
  const servers = Array.from({ length: 4 }, (_, i) => {
    const series = spanSeries(t0, to, 5)
    for (let at = t0; at <= to; at += 15 * minuteMs) {
      const noise = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
      for (const m of [0, 5, 10]) {
        addSample(series, at + m * minuteMs, { mem_used_pct: 50 + 5 * noise })
      }
    }
    closeAllQuarters(series)
    return { name: `s${i}`, profile: undefined, cores: undefined, series }
  })
  return {
    ...{ name: `made-${seed}`, simulated: true, from: t0, to, intervalMinutes: 5 },
    ...{ metrics: ['mem_used_pct'], servers },
  }
}

/** Says the same Gaussian of everything, its standard deviation `sd`. */
const says = (sd: number): Inference => ({
  infer: (batch) => {
    const out = Object.fromEntries(
      Object.entries(forecastWidths).map(([name, width]) => [
        name,
        new Float32Array(batch.size * width),
      ]),
    ) as { [name in keyof typeof forecastWidths]: Float32Array }
    for (let i = 0; i < batch.size * horizonSteps * V * Q; i++) {
      out.quantiles[i] = 50 + sd * normal[i % Q]!
    }
    for (let i = 0; i < out.peaks.length; i++) out.peaks[i] = 60 + sd * normal[i % Q]!
    return Promise.resolve(out)
  },
  close: () => Promise.resolve(),
})

const stretch = (of: FleetHistory) => ({ history: of, from: t0 + 2 * dayMs, to: of.to })

test('a band of half the true width is moved half of the way by the fit, and to 80 % by matured truth', async () => {
  const inference = says(2.5)
  const calibration = await fitCalibration({ inference, stretches: [stretch(history(1))] })
  const metrics = ['mem_used_pct'] as const
  const of = { ...stretch(history(2)), calibration, inference, metrics, gain: 1 }
  const { before, fitted, after } = await judgeCalibration(of)
  // ±0.641, ±0.961 standard deviations of the truth.
  expect(before.coverage80).toBeCloseTo(0.478, 1)
  expect(fitted.coverage80).toBeGreaterThan(0.63)
  expect(fitted.coverage80).toBeLessThan(0.7)
  expect(after.coverage80).toBeGreaterThan(0.76)
  expect(after.coverage80).toBeLessThan(0.83)
  expect(after.wql).toBeLessThan(before.wql)
})

test('what is right already hardly moves; peaks are never fitted', async () => {
  const inference = says(5)
  const { cells } = await fitCalibration({ inference, stretches: [stretch(history(1))] })
  expect(cells.every(({ target }) => target === 'step')).toBe(true)
  const model = cells.find((c) => c.contender === 'model' && c.metric === networkMetricNames[v])!
  expect(model.shift.every((one) => Math.abs(one) < 0.03)).toBe(true)
})
