import { expect, test } from 'vitest'
import { networkMetricNames } from '../metrics.ts'
import { balanceParts, cpuParts, cpuSumTolerance } from './balance.ts'
import { medianIndex, Q } from './quantiles.ts'

const spread = [-2, -1, -0.5, 0, 0.5, 1, 2]
/** A metric with one median and one half width of its 80 % band at all steps. */
const numbers = (median: number, half: number) => ({
  quantiles: Float32Array.from({ length: 32 * Q }, (_, i) => median + half * spread[i % Q]!),
  peaks: new Float32Array(3 * Q).fill(median),
})
type Parts = { readonly [name: string]: ReturnType<typeof numbers> }
const medians = (parts: Parts, step = 5) =>
  cpuParts.map((name) => parts[name]!.quantiles[step * Q + medianIndex]!)
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
const balanced = (values: readonly (readonly [median: number, half: number])[]) => {
  const parts: Parts = Object.fromEntries(
    cpuParts.map((name, i) => [name, numbers(values[i]![0], values[i]![1])]),
  )
  balanceParts((name) => parts[name])
  return parts
}

test('user, system, I/O wait and idle sum to 100 %; who is least sure moves most, with the whole band', () => {
  const parts = balanced([
    [30, 4],
    [10, 1],
    [2, 1],
    [52, 8],
  ])
  const [user, sys, , idle] = medians(parts)
  expect(Math.abs(sum(medians(parts)) - 100)).toBeLessThan(cpuSumTolerance)
  expect(idle! - 52).toBeGreaterThan(3 * (user! - 30))
  expect(user! - 30).toBeGreaterThan(10 * (sys! - 10))
  const at = parts['cpu_idle_pct']!.quantiles
  expect(at[5]! - at[1]!).toBeCloseTo(16, 3)
})

test('a part that would be below 0 stops there and the others take the rest', () => {
  const parts = balanced([
    [1, 9],
    [10, 1],
    [0.5, 9],
    [105, 1],
  ])
  expect(medians(parts).every((median) => median >= 0)).toBe(true)
  expect(Math.abs(sum(medians(parts)) - 100)).toBeLessThan(cpuSumTolerance)
})

test('with a part missing nothing moves', () => {
  const user = numbers(30, 4)
  const before = [...user.quantiles]
  balanceParts((name) => (name === 'cpu_user_pct' ? user : undefined))
  expect([...user.quantiles]).toEqual(before)
  expect(cpuParts.every((name) => networkMetricNames.includes(name))).toBe(true)
})
