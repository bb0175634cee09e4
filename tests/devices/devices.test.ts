import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openForecaster } from '../../hub/src/forecast/forecaster.ts'
import { probeDevice } from '../../model-training/src/onnx/device-probe.ts'
import { fakeLog } from '../view/fake-sources.ts'
import { smallFleet } from './small-fleet.ts'
import { writeUntrainedModel } from './untrained-model.ts'

const home = mkdtempSync(join(tmpdir(), 'harbinger-model-'))
const modelFolder = writeUntrainedModel(join(home, 'untrained'))
afterAll(() => rmSync(home, { recursive: true }))

/** WebGPU without a GPU: the software driver that comes with Chromium, and the loader that finds it. */
const drivers = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome']
  .map((folder) => `${folder}/vk_swiftshader_icd.json`)
  .find((file) => existsSync(file))
const loader = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map((abi) => `/usr/lib/${abi}/libvulkan.so.1`)
  .find((file) => existsSync(file))
const missing =
  process.platform !== 'linux' || process.arch !== 'x64'
    ? 'the software driver is looked for on Linux x64 only'
    : !drivers
      ? 'SwiftShader is not there: apt-get install chromium'
      : !loader
        ? 'the Vulkan loader is not there: apt-get install libvulkan1'
        : undefined

test('the software GPU is there where it must be', () => {
  if (process.env['CI'] === 'true') expect(missing).toBeUndefined()
})

describe.skipIf(missing !== undefined)(`WebGPU over SwiftShader (${missing ?? 'is there'})`, () => {
  beforeAll(() => {
    // Both names: the second is the one that older loaders know.
    process.env['VK_DRIVER_FILES'] = process.env['VK_ICD_FILENAMES'] = drivers
  })

  test('runs the network and agrees with the processor to 1e-3, in the forecaster', async () => {
    const fleet = smallFleet(2)
    const onProcessor = await openForecaster({ modelFolder, log: fakeLog().log })
    const expected = await onProcessor.forecast(fleet)
    await onProcessor.close()

    const { log, lines } = fakeLog()
    const forecaster = await openForecaster({
      ...{ modelFolder, log, device: 'webgpu', worker: { patienceMs: 300_000 } },
    })
    try {
      await expect
        .poll(() => forecaster.status(), { timeout: 300_000, interval: 500 })
        .toMatchObject({ device: 'webgpu', deviceProblem: null })
      expect(forecaster.status().deviceReason).toMatch(/a software adapter, no GPU$/)
      const made = await forecaster.forecast(fleet)
      expect(forecaster.status().device).toBe('webgpu')
      expect(lines.map(({ message }) => message)).not.toContain(lostMessage)
      for (const [row, { metrics }] of expected.entries()) {
        for (const [name, { source, quantiles, peaks }] of Object.entries(metrics)) {
          const there = made[row]!.metrics[name as keyof typeof metrics]!
          expect(there.source).toBe(source)
          expect(furthest(there.quantiles, quantiles)).toBeLessThan(1e-3)
          expect(furthest(there.peaks, peaks)).toBeLessThan(1e-3)
        }
      }
    } finally {
      await forecaster.close()
    }
  }, 600_000)
})

const lostMessage = 'the device failed, the processor runs the network'

/** As a share of the number or of 1. */
const furthest = (a: Float32Array, b: Float32Array): number =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!))))

test('where a device is not there, the trial says so instead of running elsewhere', async () => {
  process.env['VK_DRIVER_FILES'] = process.env['VK_ICD_FILENAMES'] = '/nowhere'
  expect(await probeDevice(modelFolder, 'webgpu')).toEqual({
    device: 'webgpu',
    problem: expect.stringMatching(/WebGPU adapter/),
  })
}, 60_000)

test('a trial that hangs is ended', async () => {
  expect(await probeDevice(modelFolder, 'webgpu', { timeoutMs: 1 })).toEqual({
    ...{ device: 'webgpu', problem: 'it gave no answer for 0.001 s' },
  })
})
