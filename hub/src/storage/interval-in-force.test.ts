import { describe, expect, test } from 'vitest'
import { intervalInForce, slowerUntil } from './interval-in-force.ts'

const saying = (seconds: number, from: 'own' | 'hub' = 'hub') => ({
  inventory: { agentVersion: '0.1.0', interval: { seconds, own: 10, from } },
  ...{ gaps: [12_345], slowerUntil: undefined },
})

describe('the interval in force', () => {
  test('is what the agent says', () => {
    expect(intervalInForce(saying(300), 0)).toEqual({ ms: 300_000, pauseMs: 300_000, from: 'hub' })
    expect(intervalInForce(saying(10, 'own'), 0)).toEqual({
      ms: 10_000,
      pauseMs: 10_000,
      from: 'own',
    })
  })

  test('is what lies between samples where the agent says nothing', () => {
    const earlier = { inventory: { agentVersion: '0.1.0' }, gaps: [9_000, 60_000, 9_800] }
    expect(intervalInForce({ ...earlier, slowerUntil: undefined }, 0)).toEqual({
      ...{ ms: 9_800, pauseMs: 9_800, from: 'measured' },
    })
    const unheard = { inventory: undefined, gaps: [], slowerUntil: undefined }
    expect(intervalInForce(unheard, 0)).toMatchObject({ ms: 10_000, from: 'measured' })
  })

  test('of an agent just told to sample more often expects the longer pause until its samples may be missed', () => {
    const until = slowerUntil(saying(300), saying(10).inventory.interval, 1_000_000)
    const server = { ...saying(10), slowerUntil: until }
    expect(intervalInForce(server, 1_024_999)).toMatchObject({ ms: 10_000, pauseMs: 300_000 })
    expect(intervalInForce(server, 1_025_000)).toMatchObject({ ms: 10_000, pauseMs: 10_000 })
    // Said again, by a new connection.
    expect(slowerUntil(server, saying(10).inventory.interval, 1_010_000)).toBe(until)
  })

  test('of an agent told to sample less often is the new one at once', () => {
    expect(slowerUntil(saying(10), saying(300).inventory.interval, 0)).toBeUndefined()
    expect(slowerUntil({ inventory: undefined, slowerUntil: undefined }, undefined, 0)).toBe(
      undefined,
    )
  })
})
