import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRegistry } from '../models/registry.ts'
import { openStores } from '../storage/stores.ts'
import { isQuiet, parseQuietHours } from './limits.ts'
import type { startTraining } from './start-training.ts'
import type { TrainingOutcome, TrainingProgress, TrainJob } from './training-messages.ts'
import { openTrainings } from './trainings.ts'

const hour = 3_600_000
const day = 24 * hour

let folder: string
let stores: ReturnType<typeof openStores>
let at: number
/** Processes that were asked for, and how to end them. */
let started: {
  readonly job: TrainJob
  readonly progress: (made: TrainingProgress) => void
  readonly end: (outcome: Error | TrainingOutcome) => void
}[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trainings-'))
  stores = openStores(folder)
  // Local noon: quiet hours are those of the hub's day.
  at = new Date(2026, 2, 2, 12).getTime()
  started = []
})
afterEach(() => {
  stores.close()
  rmSync(folder, { recursive: true })
})

const start = ((job, { onProgress } = {}) => {
  const { promise, resolve, reject } = Promise.withResolvers<TrainingOutcome>()
  promise.catch(() => undefined)
  started.push({
    job: job as TrainJob,
    progress: onProgress!,
    end: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
  })
  return { pid: 1, finished: promise, stop: () => reject(new Error('stopped')) }
}) as typeof startTraining

const limits = { everyDays: 7, hoursBetween: 24, perWeek: 3, quietHours: undefined, minutes: 5 }
const log = { info() {}, warn() {}, error() {} }
const open = (change: Partial<typeof limits> | { quietHours: { from: number; to: number } } = {}) =>
  openTrainings({
    ...{ store: stores.trainings, limits: { ...limits, ...change }, dataFolder: folder },
    registry: openRegistry({ dataFolder: folder, models: stores.models, now: () => at }),
    ...{ minuteDays: 14, profileRules: [], isDemo: false, now: () => at, log, start },
  })
const operator = { reason: 'operator', detail: 'a test' } as const
const drift = { reason: 'drift', detail: 'memory drifted' } as const
const states = (room: ReturnType<typeof open>) => room.all().map(({ state }) => state)

test('an operator trains at any time, one at a time, from the model that serves', () => {
  const room = open()
  expect(room.request(operator)).toMatchObject({ state: 'running' })
  expect(started[0]!.job).toMatchObject({
    champion: started[0]!.job.base,
    history: { kind: 'own', simulated: false },
    minutes: 5,
  })
  expect(room.request(operator)).toEqual({
    refused: 'training 1 is running already; cancel it first',
  })
})

test('progress and loss curve are told while it runs and kept when it fails', async () => {
  const room = open()
  room.request(operator)
  started[0]!.progress({
    ...{ stage: 'training', step: 5, steps: 20, loss: 1, rate: 0.1, etaMs: 9000 },
    losses: [[5, 1, 0.2]],
  })
  expect(room.live(1)).toMatchObject({ stage: 'training', share: 0.25, etaMs: 9000 })
  started[0]!.end(new Error('the disk is full'))
  await room.idle()
  expect(room.live(1)).toBeUndefined()
  expect(room.find(1)).toMatchObject({ state: 'failed', endedAt: at })
  expect(room.resultOf(room.find(1)!)).toMatchObject({
    problem: 'the disk is full',
    losses: [[5, 1, 0.2]],
  })
})

test('what the hub asks for itself keeps 24 h between, three a week and quiet hours', async () => {
  const room = open()
  async function drifts(): Promise<void> {
    room.request(drift)
    room.tick(at)
    started.at(-1)?.end(new Error('over'))
    await room.idle()
  }
  await drifts()
  at += 23 * hour
  await drifts()
  expect(states(room)).toEqual(['waiting', 'failed'])
  expect(room.waitsFor(room.find(2)!)).toContain('24 h lie between two trainings')
  at += hour
  room.tick(at)
  expect(states(room)).toEqual(['running', 'failed'])
  started.at(-1)!.end(new Error('over'))
  await room.idle()
  at += day
  await drifts()
  at += day
  room.request(drift)
  room.tick(at)
  expect(room.waitsFor(room.all()[0]!)).toContain('3 trainings a week are enough')
  expect(started).toHaveLength(3)

  const quiet = open({ quietHours: parseQuietHours('11:00-13:00') as { from: number; to: number } })
  at += 6 * day
  quiet.tick(at)
  expect(started).toHaveLength(3)
  expect(quiet.waitsFor(quiet.all()[0]!)).toContain('quiet hour')
  at += hour
  quiet.tick(at)
  expect(started).toHaveLength(4)
})

test.each([
  ['22:00-06:00', 23, true],
  ['22:00-06:00', 5, true],
  ['22:00-06:00', 6, false],
  ['08:00-18:00', 8, true],
  ['08:00-18:00', 18, false],
])('within %s at %i o’clock: %s', (text, hours, quiet) => {
  const of = parseQuietHours(text) as { from: number; to: number }
  expect(isQuiet(of, new Date(2026, 2, 2, hours).getTime())).toBe(quiet)
})

test.each(['8-18', '24:00-01:00', '08:00-08:00', 'night'])('%s are no quiet hours', (text) => {
  expect(parseQuietHours(text)).toBeUndefined()
})

test('the schedule asks every seven days, also of a hub that never trained', () => {
  const room = open()
  at += 7 * day - 1
  room.tick(at)
  expect(started).toHaveLength(0)
  at += 1
  room.tick(at)
  expect(room.all()[0]).toMatchObject({ reason: 'schedule', state: 'running' })
  expect(open({ everyDays: 0 }).tick(at + 99 * day)).toBeUndefined()
})

test('a hub that is closed leaves its training to the next one, which goes on with the same job', async () => {
  const room = open()
  room.request({ ...operator, seed: 3 })
  const { job } = started[0]!
  await room.close()
  expect(states(room)).toEqual(['running'])
  at += hour
  const next = open()
  next.tick(at)
  expect(started).toHaveLength(2)
  expect(started[1]!.job).toEqual(job)
  expect(next.resultOf(next.find(1)!).resumed).toBe(1)
})

test('cancelled, it ends and is not taken up again', async () => {
  const room = open()
  room.request(operator)
  expect(room.cancel(1)).toMatchObject({ state: 'cancelled' })
  await room.idle()
  room.tick(at)
  expect(started).toHaveLength(1)
  expect(room.cancel(9)).toBeUndefined()
})
