import { expect, test } from 'vitest'
import { simulatedHistory } from '../history/simulated-history.ts'
import { backtestSlow } from './slow-metrics.ts'
import { writtenDisks } from './written-disks.ts'

const day = 24 * 3_600_000

test('disks of every habit: bands hold what they promise, and skill is real within the day', () => {
  const history = writtenDisks({ seed: 21, servers: 16, days: 24 })
  const { from, to } = history
  const { disk_usage_pct: disk, uptime_days: uptime } = backtestSlow({
    ...{ history, from: from + day, to, everyHours: 29 },
  })
  for (const distance of ['4-8h', '1d', '3d', '7d']) {
    const { points, coverage80, wql, baselines } = disk![distance]!
    expect(points, distance).toBeGreaterThan(150)
    expect(coverage80, distance).toBeGreaterThan(0.6)
    expect(wql! / baselines['linear-24h']!, distance).toBeLessThan(0.95)
  }
  expect(disk!['1-4h']!.skill).toBeGreaterThan(0)
  // A forecast without restarts is certain of what one time in twenty days is wrong.
  expect(uptime!['14d']!.skill).toBeGreaterThan(0.1)
}, 120_000)

test('the simulated fleet: disks that fill, weekly clean-ups and restarts', () => {
  const history = simulatedHistory({ seed: 4, servers: 6, startAt: Date.UTC(2025, 2, 3), days: 12 })
  const { from, to } = history
  const { disk_usage_pct: disk } = backtestSlow({
    history,
    from: from + 2 * day,
    to,
    everyHours: 13,
  })
  expect(disk!['4-8h']!.skill).toBeGreaterThan(0)
  expect(disk!['1d']!.coverage80).toBeGreaterThan(0.7)
  // Twelve days leave no origin with fourteen after it.
  expect(disk!['14d']).toMatchObject({ points: 0, wql: null, skill: null })
}, 120_000)

test('a history without these metrics has nothing to say of them', () => {
  const history = writtenDisks({ seed: 1, servers: 1, days: 2 })
  history.servers[0]!.series.count.fill(0)
  history.servers[0]!.series.quarterKnown.fill(0)
  expect(backtestSlow({ history, from: history.from, to: history.to })).toEqual({})
})
