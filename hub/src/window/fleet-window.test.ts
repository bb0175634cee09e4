import { expect, test } from 'vitest'
import { addSample, emptySeries } from '@harbinger/shared/window/series'
import { openStores } from '../storage/stores.ts'
import { loadSeries } from '../storage/load-series.ts'
import { keepQuarter } from '../storage/quarters.ts'
import { estimateInterval } from './interval.ts'
import { fleetBatches } from './fleet-batches.ts'
import { fleetWindow } from './fleet-window.ts'
import { ahead, inSlices, nextTurn, sliceMs } from './slices.ts'
import { hourlyRise } from './trend.ts'

const minute = 60_000
const start = Date.UTC(2026, 0, 5)

const every = (minutes: number, n: number, from = start) => {
  const series = emptySeries()
  for (let i = 0; i < n; i++) addSample(series, from + i * minutes * minute, { mem_used_pct: i })
  return series
}

test.each([
  [1, 100],
  [5, 100],
  [15, 90],
])('samples every %i minutes are known to be so', (minutes, n) => {
  expect(estimateInterval(every(minutes, n))).toBe(minutes)
})

test('an outage does not change the interval, and two samples do not decide it', () => {
  const series = every(5, 40)
  for (let i = 0; i < 40; i++)
    addSample(series, start + (400 + i * 5) * minute, { mem_used_pct: 1 })
  expect(estimateInterval(series)).toBe(5)
  expect(estimateInterval(every(5, 2))).toBe(1)
  expect(estimateInterval(emptySeries())).toBe(1)
})

test('how fast a metric rises is known when both ends of the hour were measured', () => {
  expect(hourlyRise(every(1, 60), 'mem_used_pct', start + 59 * minute)).toBeCloseTo(60)
  expect(hourlyRise(every(1, 20), 'mem_used_pct', start + 59 * minute)).toBeUndefined()
})

test('quarters that ended are handed out once', () => {
  const window = fleetWindow(() => {})
  window.markQuarter(1, 0)
  window.markQuarter(1, 14)
  window.markQuarter(1, 20)
  expect(window.takeEndedQuarters(29)).toEqual([{ serverId: 1, quarter: 0 }])
  expect(window.takeEndedQuarters(30)).toEqual([{ serverId: 1, quarter: 1 }])
  expect(window.takeEndedQuarters(60)).toEqual([])
})

test('a hub that starts again has the window it had, and closes the quarters it left open', () => {
  const { rollups } = openStores(':memory:')
  const now = { at: start }
  const open = () =>
    fleetWindow((serverId, series) => loadSeries(rollups, { serverId, series, now: now.at }))
  const window = open()
  window.open(1, null)
  for (; now.at < start + 40 * minute; now.at += 10_000) {
    window.add(1, now.at, { mem_used_pct: now.at % 7 })
    const m = Math.floor(now.at / minute)
    rollups.putMinute(1, m, window.minute(1, m)!)
    window.markQuarter(1, m)
  }
  for (const { serverId, quarter } of window.takeEndedQuarters(Math.floor(start / minute) + 15)) {
    keepQuarter(rollups, { serverId, quarter, series: window.series(serverId) })
  }
  const again = open()
  again.open(1, rollups.quarterBounds(1).last)
  expect(again.series(1).mean).toEqual(window.series(1).mean)
  expect(again.series(1).max).toEqual(window.series(1).max)
  expect(again.series(1).firstMinute).toBe(window.series(1).firstMinute)
  const ended = again.takeEndedQuarters(now.at / minute)
  expect(ended.map(({ quarter }) => quarter - start / minute / 15)).toEqual([0, 1])
})

test('servers with too little history abstain with the reason, the others get a window', async () => {
  const series = [every(1, 200), every(1, 3), emptySeries()]
  const now = start + 200 * minute
  const servers = series.map((_, id) => ({
    ...{ id, name: `s${id}`, profile: 'generic' as const },
    ...{ cores: 4, inventory: undefined },
  }))
  const abstained: { server: string; reason: string }[] = []
  const batches = []
  for await (const batch of fleetBatches(servers, {
    series: (id) => series[id]!,
    now,
    abstained,
  })) {
    batches.push(batch)
  }
  expect(batches).toHaveLength(1)
  expect(batches[0]).toMatchObject({ windowEnd: now, batch: { size: 1 } })
  expect(batches[0]!.rows.map(({ server }) => server)).toEqual(['s0'])
  expect(abstained.map(({ server }) => server)).toEqual(['s1', 's2'])
  expect(abstained[1]!.reason).toBe('no sample has arrived yet')
})

test('told to sample less often, a server counts by that before a day of samples shows it', async () => {
  // 3 h every minute, then 1 h every 5 minutes: the median of the gaps is still one minute.
  const series = every(1, 180)
  for (let m = 180; m < 240; m += 5) addSample(series, start + m * minute, { mem_used_pct: 1 })
  const intervalOf = async (inventory: { interval: { seconds: number } } | undefined) => {
    const server = { id: 0, name: 's', profile: 'generic' as const, cores: 4, inventory }
    const asked = { series: () => series, now: start + 240 * minute, abstained: [] }
    for await (const batch of fleetBatches([server], asked)) expect(batch.rows).toHaveLength(1)
    return series.intervalMinutes
  }
  expect(await intervalOf(undefined)).toBe(1)
  expect(await intervalOf({ interval: { seconds: 300 } })).toBe(5)
  expect(await intervalOf({ interval: { seconds: 90 } })).toBe(2)
  expect(await intervalOf({ interval: { seconds: 10 } })).toBe(1)
})

test('an item is made while the one before it is used', async () => {
  const story: string[] = []
  async function* numbers() {
    for (const n of [1, 2]) {
      story.push(`made ${n}`)
      yield n
    }
  }
  for await (const n of ahead(numbers())) {
    await nextTurn()
    story.push(`used ${n}`)
  }
  expect(story).toEqual(['made 1', 'made 2', 'used 1', 'used 2'])
})

test('long work gives the event loop its turn', async () => {
  let turns = 0
  let done = false
  const count = (): void => {
    turns++
    if (!done) setImmediate(count)
  }
  setImmediate(count)
  await inSlices([1, 2, 3, 4], () => {
    const until = performance.now() + sliceMs
    while (performance.now() < until);
  })
  done = true
  expect(turns).toBeGreaterThanOrEqual(4)
})
