import { networkMetricNames } from '@harbinger/shared/metrics'
import { expect, test } from 'vitest'
import { loggedBaselines, type LoggedMetric, readBody, toBody } from './forecast-log-body.ts'

/** Numbers that half floats hold exactly. */
const numbers = (n: number, from: number) => Float32Array.from({ length: n }, (_, i) => from + i)
const logged: LoggedMetric = {
  source: 'model:base',
  steps: numbers(15, 0),
  peaks: numbers(9, 16),
  breach: Float32Array.of(0, 0.25, NaN),
  limit: 90,
  ownThresholds: Float32Array.of(40, 50, NaN),
  ownChances: Float32Array.of(0.5, 0.25, NaN, 0.5, 0.25, NaN, 1, 0.5, NaN),
  baselines: loggedBaselines.map((_, i) => numbers(15, 32 + i)),
}
const metrics = networkMetricNames.map((_, v) => (v === 5 ? logged : undefined))

test('what is written down is read again, what is not known as not known', () => {
  const body = toBody(metrics, () => 7)
  expect(readBody(body, (id) => (id === 7 ? 'model:base' : 'another'))).toEqual(metrics)
})

test('a row of the first version, which had no own thresholds, is read without them', () => {
  const body = toBody(metrics, () => 7)
  const heading = 2 + 2 * networkMetricNames.length
  const own = heading + 2 * (15 + 9 + 3 + 1)
  const first = Uint8Array.from([...body.slice(0, own), ...body.slice(own + 2 * (3 + 9))])
  first[0] = 1
  const read = readBody(first, () => 'model:base')[5]!
  expect(read.ownThresholds).toEqual(Float32Array.of(NaN, NaN, NaN))
  expect(read.ownChances).toEqual(new Float32Array(9).fill(NaN))
  const { ownThresholds: _, ownChances: __, ...rest } = logged
  expect(read).toMatchObject(rest)
})

test('a row of a later version is refused', () => {
  const body = toBody(metrics, () => 7)
  body[0] = 3
  expect(() => readBody(body, () => '')).toThrow('version 3, this Harbinger reads 1 and 2')
})
