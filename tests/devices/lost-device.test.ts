import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type Forecaster, openForecaster } from '../../hub/src/forecast/forecaster.ts'
import type { ProbeDevice } from '../../model-training/src/onnx/device-probe.ts'
import { fakeLog } from '../view/fake-sources.ts'
import { smallFleet } from './small-fleet.ts'
import { writeUntrainedModel } from './untrained-model.ts'

const home = mkdtempSync(join(tmpdir(), 'harbinger-model-'))
const modelFolder = writeUntrainedModel(join(home, 'untrained'))
afterAll(() => rmSync(home, { recursive: true }))
const file = new URL('./failing-device-worker.ts', import.meta.url)
const works: ProbeDevice = async (_, device) => ({
  ...{ device, adapter: 'gpu', onDevice: 487, elsewhere: 11, largestDifference: 0 },
  ...{ msPerWindow: 0.1, processorMsPerWindow: 1 },
})
const does = (what: string): void => void (process.env['HARBINGER_TEST_DEVICE'] = what)

let open: Forecaster | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
  delete process.env['HARBINGER_TEST_DEVICE']
})
async function onWebgpu(firstRetryMs = 60_000) {
  does('works')
  const { log, lines } = fakeLog()
  const forecaster = (open = await openForecaster({
    ...{ modelFolder, log, device: 'webgpu', worker: { file, firstPauseMs: 10 } },
    devices: { probe: works, firstRetryMs },
  }))
  await until(forecaster, 'webgpu')
  return { forecaster, lines }
}
const until = (forecaster: Forecaster, device: string) =>
  expect.poll(() => forecaster.status().device, { timeout: 10_000 }).toBe(device)
const numbersOf = async (forecaster: Forecaster) =>
  (await forecaster.forecast(smallFleet(3))).map(({ metrics }) => {
    expect(metrics.mem_used_pct!.source).toMatch(/^model:/)
    return metrics.mem_used_pct!.quantiles
  })

describe('a device that works', () => {
  test('is reported with the reason', async () => {
    const { forecaster } = await onWebgpu()
    expect(forecaster.status()).toMatchObject({
      device: 'webgpu',
      deviceReason: 'forecast.device is webgpu; 0.10 ms a window, the processor 1.0',
      deviceProblem: null,
    })
    expect(await numbersOf(forecaster)).toHaveLength(3)
    expect(forecaster.status().device).toBe('webgpu')
  })
})

describe('a device that is lost in the middle of a batch', () => {
  test.each([
    ['lost', /^webgpu was lost: the GPU fell off the bus$/],
    ['wrong', /^webgpu was lost: its numbers part from the processor's by 0\.0/],
  ])('because it is %s, costs no number, and the reason is seen', async (what, reason) => {
    const { forecaster, lines } = await onWebgpu()
    const before = await numbersOf(forecaster)
    does(what)
    expect(await numbersOf(forecaster)).toEqual(before)
    expect(forecaster.status()).toMatchObject({
      ...{ device: 'cpu', problem: null, deviceReason: expect.stringMatching(reason) },
      ...{ deviceProblem: expect.stringMatching(reason), restarts: 0 },
    })
    expect(lines.map(({ message }) => message)).toContain(
      'the device failed, the processor runs the network',
    )
  })

  test('is tried again later, and taken when it works', async () => {
    const { forecaster } = await onWebgpu(50)
    does('lost')
    await numbersOf(forecaster)
    expect(forecaster.status().device).toBe('cpu')
    does('works')
    await until(forecaster, 'webgpu')
    expect(forecaster.status().deviceProblem).toBeNull()
  })

  test('is not taken back while it does not work', async () => {
    const { forecaster, lines } = await onWebgpu(20)
    does('absent')
    const failures = () => lines.filter(({ message }) => message.startsWith('the device failed'))
    // It still works for the session that is open.
    await numbersOf(forecaster)
    does('lost')
    await numbersOf(forecaster)
    does('absent')
    await expect.poll(() => failures().length, { timeout: 10_000 }).toBeGreaterThan(2)
    expect(forecaster.status()).toMatchObject({
      ...{ device: 'cpu', deviceProblem: 'webgpu cannot be used: no adapter' },
    })
  })

  test('and takes its thread with it, is left alone by the next thread', async () => {
    const { forecaster } = await onWebgpu()
    does('crash')
    const [meanwhile] = await forecaster.forecast(smallFleet(1))
    expect(meanwhile!.metrics.mem_used_pct!.source).toMatch(/^baseline:/)
    await expect.poll(() => forecaster.status().problem, { timeout: 10_000 }).toBeNull()
    expect(forecaster.status()).toMatchObject({
      ...{ device: 'cpu', restarts: 1 },
      deviceProblem: 'the forecast worker ended while webgpu ran the network',
    })
    await numbersOf(forecaster)
  })
})
