import { describe, expect, test } from 'vitest'
import { networkMetricNames } from '../metrics.ts'
import { openCalibration } from './calibrate.ts'
import { type CalibrationCell, noCalibration, type Place } from './calibration.ts'
import { translate } from './chance.ts'
import { Q } from './quantiles.ts'

const place: Place = {
  ...{ contender: 'model', profile: 'database', v: networkMetricNames.indexOf('mem_used_pct') },
}
const row = [10, 20, 25, 30, 35, 40, 50]
const numbers = () => ({
  quantiles: Float32Array.from(Array.from({ length: 32 }, () => row).flat()),
  peaks: Float32Array.from([...row, ...row, ...row]),
})
const cell = (group: Partial<CalibrationCell>, shift: number): CalibrationCell => ({
  ...{ contender: 'model', profile: 'database', metric: 'mem_used_pct', target: 'step', bucket: 0 },
  ...{ points: 500, shift: [-shift, -shift, 0, 0, 0, shift, shift] },
  ...group,
})
const opened = (...cells: CalibrationCell[]) => openCalibration({ ...noCalibration, cells })

describe('a calibration', () => {
  test('moves quantiles by shares of the 80 % band, each bucket for itself, the median not at all', () => {
    const made = numbers()
    opened(cell({}, 0.5))(made, place)
    // The band is 20 wide, and 0.1 is the smallest width worth stating.
    const [first, beyond] = [made.quantiles.slice(0, Q), made.quantiles.slice(4 * Q, 5 * Q)]
    expect([...first]).toEqual(
      [-0.05, 9.95, 25, 30, 35, 50.05, 60.05].map((x) => expect.closeTo(x, 3)),
    )
    expect([...beyond]).toEqual(row)
    expect([...made.peaks.slice(0, Q)]).toEqual(row)
  })

  test('is borrowed from the next larger group where there is none, and from no other contender', () => {
    const pooled = cell({ profile: null }, 0.25)
    const all = cell({ profile: null, metric: null }, 1)
    const high = (calibrate: ReturnType<typeof opened>, at = place) => {
      const made = numbers()
      calibrate(made, at)
      return made.quantiles[5]
    }
    expect(high(opened(cell({}, 0.5), pooled, all))).toBeCloseTo(50.05)
    expect(high(opened(cell({ profile: 'web_api' }, 0.5), pooled, all))).toBeCloseTo(45.025)
    expect(high(opened(cell({ metric: 'load_average' }, 0.5), all))).toBeCloseTo(60.1)
    expect(high(opened(cell({}, 0.5)), { ...place, contender: 'last-value' })).toBe(40)
  })

  test('leaves medians where they are, so that the parts of the CPU add up as they did', () => {
    const made = numbers()
    const adapted = new Float32Array(100_000).fill(0.7)
    opened(cell({}, 3))(made, place, adapted)
    for (let step = 0; step < 32; step++) expect(made.quantiles[step * Q + 3]).toBe(30)
  })
})

test('a chance is worth what the curve says, between its places by straight lines', () => {
  const came = [0.03, 0.06, 0.12, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99]
  expect(translate(0.2, came)).toBeCloseTo(0.25)
  expect(translate(0.25, came)).toBeCloseTo(0.325)
  expect(translate(0.98, came)).toBeCloseTo(0.99)
  expect(translate(0, came)).toBe(0)
  expect(translate(0.3, undefined)).toBe(0.3)
})
