import { metricIndex, metricNames } from '@harbinger/shared/metrics'
import { addSample, emptySeries, minuteMs, setQuarter } from '@harbinger/shared/window/series'
import { describe, expect, test } from 'vitest'
import type { QuarterRollup } from '../../storage/rollup-store.ts'
import type { Server } from '../../storage/server-store.ts'
import { openEpisodes } from './episodes.ts'
import { ringBytes } from './hour-ring.ts'

const now = Date.parse('2026-03-12T10:20:00Z')
const hour = Math.floor(now / 3_600_000)
const log = { info() {}, warn() {}, error: (fields: object) => expect(fields).toBeUndefined() }

const server = (id: number, name: string, profile: Server['profile'] = 'web_api') =>
  ({ id, name, profile, cores: 8 }) as Server

/** What each server measured in a quarter: idle and memory, or nothing. */
type Course = (quarter: number) => { idle: number; mem: number } | undefined
const steady: Course = (quarter) => ({ idle: 60 + 2 * Math.sin(quarter / 9), mem: 40 })

function fleetOf(courses: readonly (readonly [Server, Course])[], maxBytes?: number) {
  const known = courses.map(([{ id }, course]) => {
    const series = emptySeries()
    for (let m = Math.floor(now / minuteMs) - 400; m < Math.floor(now / minuteMs); m++) {
      const at = course(Math.floor(m / 15))
      if (at) addSample(series, m * minuteMs, { cpu_idle_pct: at.idle, mem_used_pct: at.mem })
    }
    for (let quarter = hour * 4 - 96; quarter < hour * 4; quarter++) {
      const at = course(quarter)
      if (at) setQuarter(series, quarter, rollup(at).mean, rollup(at).known)
    }
    return [id, series] as const
  })
  const series = new Map(known)
  const episodes = openEpisodes({
    ...{ log, ...(maxBytes !== undefined && { maxBytes }) },
    servers: () => courses.map(([one]) => one),
    series: (id) => series.get(id)!,
    eachQuarter(id, { from, to }, visit) {
      const [, course] = courses.find(([one]) => one.id === id)!
      for (let quarter = to - 1; quarter >= from; quarter--) {
        const at = course(quarter)
        if (at) visit(quarter, rollup(at))
      }
    },
  })
  return episodes
}

const rollup = ({ idle, mem }: { idle: number; mem: number }): QuarterRollup => {
  const mean = new Float32Array(metricNames.length).fill(NaN)
  const known = new Uint8Array(metricNames.length)
  mean[metricIndex.cpu_idle_pct] = idle
  mean[metricIndex.mem_used_pct] = mem
  known[metricIndex.cpu_idle_pct] = 15
  known[metricIndex.mem_used_pct] = 15
  return { mean, max: mean, known }
}

/** Memory climbs from 40 % by 5 % an hour, beginning at `from`, to 95 %, and is then freed. */
const leak =
  (from: number): Course =>
  (quarter) => {
    const hours = quarter / 4 - from
    return { idle: 60, mem: hours >= 0 && hours < 14 ? Math.min(95, 40 + 5 * hours) : 40 }
  }
/** The server asked about is six hours into such a climb. */
const climbing = leak(hour - 6 + 1 / 3)

describe('similar episodes', () => {
  test('are found where it happened before, with what followed; its own profile first', async () => {
    const asked = server(1, 'web01')
    const episodes = fleetOf([
      [asked, climbing],
      [server(2, 'web02'), leak(hour - 100)],
      [server(3, 'db01', 'database'), leak(hour - 50)],
      [server(4, 'web03'), steady],
    ])
    await episodes.refresh(now)
    const { episodes: found, text, searched } = await episodes.similar(asked, now)
    expect(found.map((one) => [one.server, one.sameProfile])).toEqual([
      ['web02', true],
      ['db01', false],
    ])
    const [first] = found
    // The climb began 100 hours ago, and is compared when it had lasted as long.
    expect(first!.endedAt).toBe(new Date((hour - 94) * 3_600_000).toISOString())
    expect(first!.distance).toBeLessThan(0.35)
    expect(first!.closeness).toBe('very similar')
    // At 70 % then, its limit is 85 %: three hours later.
    expect(first!.followed.breached).toEqual([
      { metric: 'mem_used_pct', limit: 85, afterMinutes: 180 },
    ])
    expect(first!.followed.peaks.mem_used_pct).toBe(95)
    expect(first!.followed.peaks.cpu_idle_pct).toBe(60)
    expect(first!.text).toBe('Memory reached its limit of 85 % after 3 h.')
    expect(text).toContain('2 similar episodes among')
    expect(searched).toMatchObject({ servers: 4, ofServers: 4, days: 14 })
  })

  test('are not made up: nothing is near a course that never was', async () => {
    const asked = server(1, 'web01')
    const episodes = fleetOf([
      [asked, climbing],
      [server(2, 'web02'), steady],
    ])
    await episodes.refresh(now)
    const { episodes: found, text } = await episodes.similar(asked, now)
    expect(found).toEqual([])
    expect(text).toMatch(
      /^Nothing similar to the last 6 h among [\d,]+ past episodes of 2 servers\.$/,
    )
  })

  test('do not overlap with the stretch asked about, nor with each other', async () => {
    const asked = server(1, 'web01')
    const episodes = fleetOf([[asked, steady]])
    await episodes.refresh(now)
    const { episodes: found } = await episodes.similar(asked, now)
    expect(found).toHaveLength(3)
    const ends = found.map(({ endedAt }) => Date.parse(endedAt) / 3_600_000).sort((a, b) => a - b)
    expect(ends.at(-1)).toBeLessThanOrEqual(hour - 6 - 8)
    expect(ends[1]! - ends[0]!).toBeGreaterThanOrEqual(14)
    expect(ends[2]! - ends[1]!).toBeGreaterThanOrEqual(14)
  })

  test('of the server itself end so early that what followed is not what is asked about', async () => {
    const asked = server(1, 'web01')
    /** Busy now, and for six hours that ended ten hours ago. */
    const twice: Course = (quarter) => {
      const ago = hour + 1 / 3 - quarter / 4
      return { idle: ago <= 6.5 || (ago > 10.3 && ago <= 16.4) ? 20 : 80, mem: 40 }
    }
    const alone = fleetOf([[asked, twice]])
    await alone.refresh(now)
    expect((await alone.similar(asked, now)).episodes).toEqual([])
    const both = fleetOf([
      [asked, twice],
      [server(2, 'web02'), twice],
    ])
    await both.refresh(now)
    const { episodes: found } = await both.similar(asked, now)
    expect(found.map((one) => one.server)).toEqual(['web02'])
    expect(found[0]!.endedAt).toBe(new Date((hour - 10) * 3_600_000).toISOString())
  })

  test('of a fleet without a past there are none, and it says so', async () => {
    const asked = server(1, 'web01')
    const episodes = fleetOf([
      [asked, (quarter) => (quarter / 4 > hour - 3 ? { idle: 5, mem: 5 } : undefined)],
    ])
    expect((await episodes.similar(asked, now)).searched.servers).toBe(0)
    await episodes.refresh(now)
    const { text, episodes: found } = await episodes.similar(asked, now)
    expect([found, text]).toEqual([[], 'There is no past yet to compare the last 6 h with.'])
  })

  test('hours that ended since are read from memory', async () => {
    const asked = server(1, 'web01')
    const episodes = fleetOf([
      [asked, climbing],
      [server(2, 'web02'), leak(hour - 15)],
    ])
    await episodes.refresh(now - 12 * 3_600_000)
    expect((await episodes.similar(asked, now)).episodes).toEqual([])
    await episodes.refresh(now)
    const { episodes: found } = await episodes.similar(asked, now)
    expect(found.map((one) => one.server)).toEqual(['web02'])
  })
})

test('memory is bounded: servers that find no room are not searched, and counted', async () => {
  const all = Array.from({ length: 5 }, (_, i) => [server(i + 1, `web0${i}`), steady] as const)
  const episodes = fleetOf(all, 2 * ringBytes)
  await episodes.refresh(now)
  const { searched } = await episodes.similar(all[0]![0], now)
  expect(searched).toMatchObject({ servers: 2, ofServers: 5 })
})
