import { describe, expect, test } from 'vitest'
import { slopePerDay } from './process-cost.ts'

const hour = 3_600_000

describe('slope of memory', () => {
  test('is the growth of a day as a share of what there is', () => {
    const points = Array.from({ length: 60 }, (_, i) => ({ at: i * 60_000, value: 10 + i / 600 }))
    // 0.1 an hour of some 10.05.
    expect(slopePerDay(points)).toBeCloseTo((100 * 2.4) / 10.05, 0)
  })

  test('is none where nothing grows, and unknown of two values', () => {
    const flat = [0, 1, 2].map((i) => ({ at: i * hour, value: 12 }))
    expect(slopePerDay(flat)).toBe(0)
    expect(slopePerDay(flat.slice(1))).toBeUndefined()
  })
})
