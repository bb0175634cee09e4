import type { Device } from '@harbinger/model-training/onnx/device'
import type { DeviceTrial } from '@harbinger/model-training/onnx/device-probe'
import { expect, test } from 'vitest'
import { chooseDevice } from './choose-device.ts'

type Found = string | Partial<DeviceTrial>

const choose = (wanted: Parameters<typeof chooseDevice>[0], found: { [d in Device]?: Found }) =>
  chooseDevice(wanted, {
    folder: 'model',
    hasGpu: () => Object.keys(found).length > 0,
    probe: async (_, device) => {
      const tried = found[device] ?? 'not there'
      if (typeof tried === 'string') return { device, problem: tried }
      const trial = { onDevice: 9, elsewhere: 1, largestDifference: 1e-6, processorMsPerWindow: 1 }
      return { device, adapter: 'gpu', msPerWindow: 0.1, ...trial, ...tried }
    },
  })

test.each([
  ['auto', {}, 'cpu', 'there is no GPU'],
  ['auto', { cuda: {}, webgpu: {} }, 'cuda', 'CUDA works; 0.10 ms a window, the processor 1.0'],
  ['auto', { webgpu: {} }, 'webgpu', /^no CUDA \(not there\); WebGPU: 0\.10 ms/],
  ['auto', { webgpu: { msPerWindow: 2 } }, 'cpu', /WebGPU is no faster: 2\.0 ms a window/],
  ['auto', { webgpu: { adapter: 'software' } }, 'cpu', /WebGPU would run on the processor/],
  ['auto', { webgpu: 'no adapter' }, 'cpu', 'no CUDA (not there), no WebGPU (no adapter)'],
  ['cpu', { cuda: {} }, 'cpu', 'forecast.device is cpu'],
  ['webgpu', { webgpu: { adapter: 'software' } }, 'webgpu', /a software adapter, no GPU$/],
] as const)('%s with %j is %s', async (wanted, found, device, reason) => {
  expect(await choose(wanted, found)).toEqual({
    device,
    reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
    ok: true,
  })
})

test('a device that was asked for and does not work is said to be missing', async () => {
  expect(await choose('cuda', { cuda: 'no driver' })).toEqual({
    ...{ device: 'cpu', reason: 'cuda cannot be used: no driver', ok: false },
  })
})
