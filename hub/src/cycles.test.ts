import { expect, test } from 'vitest'
import { cycles } from './cycles.ts'

const quiet = { info() {}, warn() {}, error() {} }

test('a cycle that falls due while another runs is left out and counted', async () => {
  let finish = () => {}
  let runs = 0
  const rounds = cycles(async (_at, { watch, count }) => {
    runs++
    const lap = watch()
    await new Promise<void>((resolve) => (finish = resolve))
    lap('forecast')
    count([{ abstained: null }, { abstained: 'silent' }])
  }, quiet)
  const first = rounds.start(60_000)
  void rounds.start(120_000)
  finish()
  await first
  expect(runs).toBe(1)
  expect(rounds.counters()).toEqual({ cyclesSkipped: 1, cyclesFailed: 0 })
  expect(rounds.last()).toMatchObject({
    at: '1970-01-01T00:01:00.000Z',
    servers: 2,
    forecast: 1,
    abstained: 1,
    ms: { window: 0 },
  })
})

test('a cycle that fails leaves the last good one standing', async () => {
  const rounds = cycles(async (at) => {
    if (at > 1) throw new Error('disk full')
  }, quiet)
  await rounds.start(1)
  await rounds.start(2)
  expect(rounds.counters().cyclesFailed).toBe(1)
  expect(rounds.last()!.at).toBe('1970-01-01T00:00:00.001Z')
})
