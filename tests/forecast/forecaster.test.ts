import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { networkMetricNames } from '@harbinger/shared/metrics'
import { addSample, emptySeries, minuteMs, type Series } from '@harbinger/shared/window/series'
import { fillWindow } from '@harbinger/shared/window/window'
import { windowBatch } from '@harbinger/shared/window/window-batch'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  type FleetToForecast,
  type Forecaster,
  type ForecasterOptions,
  openForecaster,
} from '../../hub/src/forecast/forecaster.ts'
import { writeModelFolder } from '../../model-training/src/model/model-folder.ts'
import { readGraphContract } from '../../model-training/src/onnx/training.ts'
import { initialWeights } from '../../model-training/src/train/initial-weights.ts'
import { fakeLog } from '../view/fake-sources.ts'

const now = Date.parse('2026-03-12T10:00:00Z')
const stubborn = new URL('./stubborn-worker.ts', import.meta.url)

function busySeries(hours: number, seed: number): Series {
  const series = emptySeries()
  const first = Math.floor(now / minuteMs) - hours * 60
  for (let m = 0; m < hours * 60; m++) {
    const cpu = 30 + 20 * Math.sin((m + seed) / 90)
    addSample(series, (first + m) * minuteMs, {
      cpu_user_pct: cpu,
      cpu_sys_pct: 5,
      cpu_iowait_pct: 1,
      cpu_idle_pct: 94 - cpu,
      java_cpu_pct: 0,
      mem_used_pct: 40 + (seed % 30),
      swap_used_pct: 0,
      disk_usage_pct: 55,
      net_in_mb_s: 3,
      net_out_mb_s: 2,
      back_close_wait: 4,
      front_close_wait: 2,
      load_average: cpu / 10,
      uptime_days: 12,
    })
  }
  return series
}

/** A fleet of the named servers; a few series stand for all of them. */
function fleetOf(names: readonly string[]): FleetToForecast {
  const kinds = Array.from({ length: Math.min(5, names.length) }, (_, i) => busySeries(26, 17 * i))
  const batch = windowBatch(names.length)
  let windowEnd = 0
  const rows = names.map((server, row) => {
    const series = kinds[row % kinds.length]!
    windowEnd = fillWindow(batch, row, { series, now, context: { profile: 'database', cores: 8 } })
    return { server, series }
  })
  return { batch, rows, windowEnd, issuedAt: now }
}

const many = (n: number) => Array.from({ length: n }, (_, i) => `srv${i}`)

let forecaster: Forecaster | undefined
afterEach(async () => {
  await forecaster?.close()
  forecaster = undefined
})
const open = async (options: Partial<ForecasterOptions>) => {
  const { log, lines } = fakeLog()
  forecaster = await openForecaster({ modelFolder: undefined, log, ...options })
  return { forecaster, lines }
}

describe('with the network', () => {
  const home = mkdtempSync(join(tmpdir(), 'harbinger-model-'))
  const folder = join(home, 'first')
  beforeAll(() => {
    const graphs = fileURLToPath(new URL('../../model-training/graphs', import.meta.url))
    const contract = readGraphContract(graphs)
    const scale = new Float32Array(contract.thetaSize - contract.trainableSize).fill(1)
    writeModelFolder(folder, {
      graphs,
      theta: initialWeights(contract, { seed: 1, profileScale: scale }),
      report: {} as never,
      manifest: {
        id: 'first',
        contractVersion: '1.0.0',
        kind: 'tft',
        definition: contract.definition.sha256,
        trainedAt: '2026-03-01T00:00:00.000Z',
        trainedOn: [],
        training: { seed: 1, steps: 0, minutes: 0, parent: null },
        metrics: [...networkMetricNames],
        scores: {},
        serves: Object.fromEntries(
          networkMetricNames.map((name) => [
            name,
            name === 'swap_used_pct'
              ? {
                  contender: 'seven-day-mean-level' as const,
                  reason: 'the baseline was better on this metric in the backtest',
                }
              : { contender: 'model' as const, reason: 'better than the baseline in the backtest' },
          ]),
        ),
      },
    })
  })
  afterAll(() => rmSync(home, { recursive: true }))

  test('forecasts 90 servers, and says who made each number', async () => {
    const { forecaster } = await open({ modelFolder: folder })
    expect(forecaster.status()).toEqual({
      model: { id: 'first', kind: 'tft', trainedAt: '2026-03-01T00:00:00.000Z' },
      problem: null,
      device: 'cpu',
      deviceReason: 'forecast.device is cpu',
      deviceProblem: null,
      restarts: 0,
    })
    const names = many(90)
    const fleet = { ...fleetOf(names), abstained: [{ server: 'new', reason: 'learning' }] }
    const forecasts = await forecaster.forecast(fleet)
    expect(forecasts.map(({ server }) => server)).toEqual([...names, 'new'])
    for (const { metrics, abstained, windowEnd } of forecasts.slice(0, 90)) {
      expect(abstained).toBeNull()
      expect(windowEnd).toBe(now)
      expect(metrics.mem_used_pct!.source).toBe('model:first')
      expect(metrics.swap_used_pct!.source).toBe('baseline:recent-level')
      expect(metrics.disk_usage_pct!.source).toBe('baseline:robust-trend')
      expect(Object.keys(metrics)).toHaveLength(14)
      expect(metrics.cpu_idle_pct!.quantiles).toHaveLength(32 * 7)
      expect(Math.max(...metrics.cpu_idle_pct!.peaks)).toBeLessThanOrEqual(100)
    }
    expect(forecasts[90]).toMatchObject({ abstained: 'learning', metrics: {} })
    // The caller's batch is still its own.
    expect(fleet.batch.past.length).toBeGreaterThan(0)
  })

  test('a folder that was tampered with is refused and the old model goes on serving', async () => {
    const { forecaster } = await open({ modelFolder: folder })
    const tampered = join(home, 'tampered')
    cpSync(folder, tampered, { recursive: true })
    const weights = join(tampered, 'weights.bin')
    writeFileSync(weights, Buffer.alloc(readGraphContractSize()))
    expect(await forecaster.reload(tampered)).toMatch(/weights\.bin has SHA-256/)
    expect(await forecaster.reload(join(home, 'absent'))).toMatch(/no manifest\.json/)
    expect(forecaster.status().model?.id).toBe('first')
    const [forecast] = await forecaster.forecast(fleetOf(['db01']))
    expect(forecast!.metrics.mem_used_pct!.source).toBe('model:first')
    expect(await forecaster.reload(folder)).toBeUndefined()
  })

  const readGraphContractSize = () =>
    4 *
    readGraphContract(fileURLToPath(new URL('../../model-training/graphs', import.meta.url)))
      .thetaSize

  test('1,000 servers do not hold up the hub', async () => {
    const { forecaster } = await open({ modelFolder: folder })
    const fleet = fleetOf(many(1000))
    await forecaster.forecast(fleetOf(many(64)))
    const before = process.threadCpuUsage()
    expect(await forecaster.forecast(fleet)).toHaveLength(1000)
    const { user, system } = process.threadCpuUsage(before)
    // Processor time of this thread alone, so that a busy machine does not decide: 63 portions, each at least a turn.
    expect((user + system) / 1000 / 63).toBeLessThan(10)
  }, 240_000)
})

test('without a model the baselines serve and say why', async () => {
  const { forecaster } = await open({})
  expect(forecaster.status()).toMatchObject({ model: null, device: 'none' })
  const [forecast] = await forecaster.forecast(fleetOf(['db01']))
  expect(forecast!.metrics.mem_used_pct).toMatchObject({
    source: 'baseline:recent-level',
    sourceReason: expect.stringMatching(/^no model is loaded: no model folder is set/),
  })
})

test('a folder that is not there is a problem, not an end', async () => {
  const { forecaster, lines } = await open({ modelFolder: '/nowhere/model' })
  expect(forecaster.status().problem).toMatch(/\/nowhere\/model/)
  expect(lines.map(({ message }) => message)).toContain('model refused')
  const [forecast] = await forecaster.forecast(fleetOf(['db01']))
  expect(forecast!.metrics.mem_used_pct!.sourceReason).toMatch(/\/nowhere\/model/)
})

describe('when the worker ends', () => {
  // Patient enough for a busy machine; only the worker that hangs is waited for.
  const worker = { file: stubborn, firstPauseMs: 50, patienceMs: 3000 }
  const recovered = () => expect.poll(() => forecaster!.status().problem, { timeout: 10_000 })

  test.each(['crash', 'hang'])(
    'by a %s, the baselines serve until another has started',
    async (name) => {
      const { forecaster } = await open({ modelFolder: 'stub', worker })
      expect((await forecaster.forecast(fleetOf(['db01'])))[0]!.metrics.mem_used_pct!.source).toBe(
        'model:stub',
      )

      const [meanwhile] = await forecaster.forecast(fleetOf([name]))
      expect(meanwhile!.metrics.mem_used_pct!.source).toBe('baseline:recent-level')
      expect(meanwhile!.metrics.mem_used_pct!.sourceReason).toMatch(
        name === 'crash'
          ? /worker stopped \(a bad instruction\)/
          : /worker stopped \(it gave no answer/,
      )
      expect(forecaster.status().problem).toMatch(/being started again/)

      await recovered().toBeNull()
      expect(forecaster.status()).toMatchObject({ model: { id: 'stub' }, restarts: 1 })
      expect((await forecaster.forecast(fleetOf(['db01'])))[0]!.metrics.mem_used_pct!.source).toBe(
        'model:stub',
      )
    },
  )

  test('the model that was loaded last is loaded again', async () => {
    const { forecaster } = await open({ modelFolder: 'stub', worker })
    expect(await forecaster.reload('newer')).toBeUndefined()
    expect(await forecaster.reload('bad')).toBe('bad: hashes differ')
    await forecaster.forecast(fleetOf(['crash']))
    await recovered().toBeNull()
    expect(forecaster.status().model?.id).toBe('newer')
  })

  test('one bad chunk costs no other server its forecast', async () => {
    const { forecaster } = await open({ modelFolder: 'stub', worker })
    const names = many(130)
    names[70] = 'crash'
    const forecasts = await forecaster.forecast(fleetOf(names))
    expect(forecasts.map(({ server }) => server)).toEqual(names)
    expect(forecasts[0]!.metrics.mem_used_pct!.source).toBe('model:stub')
    expect(forecasts[70]!.metrics.mem_used_pct!.source).toBe('baseline:recent-level')
  })
})
