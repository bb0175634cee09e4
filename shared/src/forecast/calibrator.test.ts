import { describe, expect, test } from 'vitest'
import { openCalibration } from './calibrate.ts'
import { cellIndex, noCalibration, type Place } from './calibration.ts'
import { type CalibratorState, openCalibrator } from './calibrator.ts'

const hourMs = 3_600_000
const place: Place = { contender: 'model', profile: 'database', v: 5 }
const calibrate = openCalibration(noCalibration)
/** Normal draws that are the same every time: Box and Muller over a linear congruential generator. */
function normals(seed: number) {
  let state = seed
  const uniform = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 0.5) / 2 ** 32
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}

/** Serves a band that is too narrow by `factor` for `hours`; returns the share held in the last half. */
function serve(calibrator: ReturnType<typeof openCalibrator>, hours: number, factor: number) {
  const draw = normals(7)
  let held = 0
  let points = 0
  for (let hour = 0; hour < hours; hour++) {
    for (let i = 0; i < 60; i++) {
      const band = [-2.05, -1.28, -0.67, 0, 0.67, 1.28, 2.05].map((z) => 50 + (4 * z) / factor)
      const numbers = {
        quantiles: Float32Array.from(Array.from({ length: 32 }, () => band).flat()),
        peaks: Float32Array.from([...band, ...band, ...band]),
      }
      calibrate(numbers, place, calibrator.adapted())
      const [low, high] = [numbers.quantiles[1]!, numbers.quantiles[5]!]
      const truth = 50 + 4 * draw()
      const maturedAt = hour * hourMs + i
      calibrator.observe({ ...place, of: { step: 0 }, low, high, truth, maturedAt })
      if (2 * hour < hours) continue
      points++
      if (truth >= low && truth <= high) held++
    }
  }
  return held / points
}

describe('a calibrator', () => {
  test.each([0.5, 1, 2])('brings bands that are %d times too narrow to 80 %%', (factor) => {
    const share = serve(openCalibrator(), 200, factor)
    expect(share).toBeGreaterThan(0.77)
    expect(share).toBeLessThan(0.83)
  })

  test('goes on where it was after a restart, and is small enough to be written down', () => {
    const before = openCalibrator()
    serve(before, 50, 2)
    const text = JSON.stringify(before.state())
    const after = openCalibrator(JSON.parse(text) as CalibratorState)
    expect(after.adapted()).toEqual(before.adapted())
    expect(after.state()).toEqual(before.state())
    expect(text.length).toBeLessThan(1000)
  })

  test('learns nothing of a cell from another one, nor from what is unknown', () => {
    const calibrator = openCalibrator()
    serve(calibrator, 50, 2)
    const cell = cellIndex(place, 'step', 0)
    expect(calibrator.adapted()[2 * cell]).toBeGreaterThan(0.3)
    expect(calibrator.adapted().filter((log) => log !== 0)).toHaveLength(2)
    const before = calibrator.state()
    calibrator.observe({ ...place, of: { step: 0 }, low: 1, high: 2, truth: NaN, maturedAt: 9e9 })
    expect(calibrator.state()).toEqual(before)
  })

  test('does not move for readings that are at the edge of their range all the time', () => {
    const calibrator = openCalibrator()
    for (let hour = 0; hour < 100; hour++) {
      for (let i = 0; i < 50; i++) {
        calibrator.observe({
          ...{ ...place, of: { peak: 2 }, low: 0, high: 0, truth: 0, maturedAt: hour * hourMs },
        })
      }
    }
    for (const log of calibrator.adapted()) expect(log).toBeCloseTo(0, 5)
  })

  test('never stretches a band more than fourfold', () => {
    const calibrator = openCalibrator(undefined, { gain: 5 })
    for (let hour = 0; hour < 100; hour++) {
      const maturedAt = hour * hourMs
      calibrator.observe({ ...place, of: { step: 0 }, low: 1, high: 2, truth: 9, maturedAt })
    }
    const cell = cellIndex(place, 'step', 0)
    expect(calibrator.adapted()[2 * cell + 1]).toBeLessThanOrEqual(Math.log(4) + 1e-6)
    expect(calibrator.adapted()[2 * cell + 1]).toBeGreaterThan(1)
  })
})
