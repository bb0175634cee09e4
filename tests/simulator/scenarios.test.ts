import { describe, expect, test } from 'vitest'
import { type Scenario, simulatedFleet } from '@harbinger/model-training/simulator/fleet'
import { assessRisk } from '../../hub/src/risk/assess-risk.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
/** A Wednesday, midnight in New York. */
const wednesday = Date.UTC(2026, 2, 4, 5)

type Fleet = ReturnType<typeof simulatedFleet>

const scoresAt = (fleet: Fleet, at: number): readonly (number | null)[] =>
  fleet.servers.map(({ profile, cores }, i) => {
    const now = fleet.readingsAt(i, at)
    return now ? assessRisk({ profile, now, cores }).score : null
  })

/** The worst score of each server over a span. */
function worstOver(
  fleet: Fleet,
  { from, to, stepMs }: { from: number; to: number; stepMs: number },
) {
  const worst = fleet.servers.map(() => 0)
  for (let at = from; at < to; at += stepMs) {
    scoresAt(fleet, at).forEach((score, i) => (worst[i] = Math.max(worst[i]!, score ?? 0)))
  }
  return worst
}

const atLeast = (scores: readonly (number | null)[], low: number, below = Infinity): number =>
  scores.filter((score) => score !== null && score >= low && score < below).length

const begun = (scenario: Scenario, { seed, hour }: { seed: number; hour: number }) => {
  const fleet = simulatedFleet({ seed, servers: 90, startAt: wednesday })
  const at = wednesday + hour * hourMs
  fleet.readingsAt(0, at)
  fleet.setScenario(scenario, at)
  return { fleet, at }
}

const times = [1, 2, 3].flatMap((seed) => [3, 11, 17.5].map((hour) => ({ seed, hour })))

describe.each(times)('with seed $seed at $hour:00', (when) => {
  test('degrading: about a fifth is Degrading or Warning within 5 minutes, at most one Critical', () => {
    const { fleet, at } = begun('degrading', when)
    const settled = scoresAt(fleet, at + 5 * minuteMs)
    expect(atLeast(settled, 50, 70)).toBeGreaterThanOrEqual(14)
    expect(atLeast(settled, 50, 70)).toBeLessThanOrEqual(22)
    const span = { from: at + 2 * minuteMs, to: at + 15 * minuteMs, stepMs: 20 * secondMs }
    expect(atLeast(worstOver(fleet, span), 80)).toBeLessThanOrEqual(1)
  })

  test('critical: at least a quarter is Critical or worse within 2 minutes, and stays', () => {
    const { fleet, at } = begun('critical', when)
    for (const minutes of [2, 5, 20]) {
      expect(atLeast(scoresAt(fleet, at + minutes * minuteMs), 80)).toBeGreaterThanOrEqual(23)
    }
  })

  test('cascade: two databases first, then servers that need them', () => {
    const { fleet, at } = begun('cascade', when)
    const early = scoresAt(fleet, at + 60 * secondMs)
    const first = early.flatMap((score, i) => (score !== null && score >= 80 ? [i] : []))
    expect(first.map((i) => fleet.servers[i]!.profile)).toEqual(['database', 'database'])
    const later = scoresAt(fleet, at + 6 * minuteMs)
    const all = later.flatMap((score, i) => (score !== null && score >= 70 ? [i] : []))
    expect(all.length).toBeGreaterThanOrEqual(8)
    const reached = (i: number): readonly number[] => fleet.needs[i]!
    for (const i of all) {
      const needed = [...reached(i), ...reached(i).flatMap(reached)]
      expect(first.includes(i) || needed.some((j) => first.includes(j))).toBe(true)
    }
  })

  test('healthy: calms whatever was there within 2 minutes', () => {
    const { fleet, at } = begun('critical', when)
    fleet.setScenario('healthy', at + 5 * minuteMs)
    const span = { from: at + 7 * minuteMs, to: at + 30 * minuteMs, stepMs: 30 * secondMs }
    expect(atLeast(worstOver(fleet, span), 50)).toBe(0)
  })
})

test.each([
  { seed: 1, from: '2026-03-04T05:00:00Z' },
  { seed: 2, from: '2026-03-06T00:00:00Z' },
  { seed: 3, from: '2026-03-30T04:00:00Z' },
  { seed: 4, from: '2026-07-01T00:00:00Z' },
])('90 healthy servers look healthy for 24 h (seed $seed from $from)', ({ seed, from }) => {
  const startAt = Date.parse(from)
  const fleet = simulatedFleet({ seed, servers: 90, startAt, faultsPerServerDay: 0 })
  const span = { from: startAt, to: startAt + 24 * hourMs, stepMs: minuteMs }
  const worst = worstOver(fleet, span)
  expect(atLeast(worst, 50)).toBe(0)
  expect(atLeast(worst, 30)).toBeLessThanOrEqual(2)
})

test('90 calm servers look healthy for 24 h', () => {
  const fleet = simulatedFleet({
    ...{ seed: 1, servers: 90, startAt: wednesday },
    ...{ faultsPerServerDay: 0, calm: true },
  })
  const span = { from: wednesday, to: wednesday + 24 * hourMs, stepMs: minuteMs }
  expect(atLeast(worstOver(fleet, span), 30)).toBe(0)
})

test('faults are seen by the score: bad ones reach Danger, and servers without any do not', () => {
  const days = 4
  const options = { seed: 6, servers: 90, startAt: wednesday, faultsPerServerDay: 0.2 }
  const fleet = simulatedFleet(options)
  const worst = new Map<number, number>()
  for (let at = wednesday; at < wednesday + days * 24 * hourMs; at += 5 * minuteMs) {
    scoresAt(fleet, at).forEach((score, i) => worst.set(i, Math.max(worst.get(i) ?? 0, score ?? 0)))
  }
  const ill = new Set(fleet.faults().map(({ index }) => index))
  const grave = [...worst].filter(([, score]) => score >= 70).map(([i]) => i)
  expect(grave.length).toBeGreaterThan(15)
  expect(grave.filter((i) => !ill.has(i))).toEqual([])
})
