import { existsSync, readdirSync } from 'node:fs'
import type { Device } from '@harbinger/model-training/onnx/device'
import {
  type DeviceProbe,
  type DeviceTrial,
  type ProbeDevice,
  probeDevice,
} from '@harbinger/model-training/onnx/device-probe'

/** As forecast.device says it. */
export type WantedDevice = Device | 'auto'

export type DeviceChoice = {
  readonly device: Device
  /** Why this one, for a person to read. */
  readonly reason: string
  /** Whether it is the one that was asked for, or, when none was, the best there is. */
  readonly ok: boolean
}

export type ChooseOptions = {
  readonly folder: string
  readonly threads?: number
  readonly probe?: ProbeDevice
  readonly hasGpu?: () => boolean
}

/**
 * Which device is to run the network. What is asked for is tried, in a process of its own, and taken when it answers
 * as the processor does; `auto` takes CUDA where it works, else WebGPU on a real GPU that is faster than the
 * processor, else the processor.
 */
export async function chooseDevice(
  wanted: WantedDevice,
  { folder, threads = 2, probe = probeDevice, hasGpu = thereIsAGpu }: ChooseOptions,
): Promise<DeviceChoice> {
  if (wanted === 'cpu') return { device: 'cpu', reason: 'forecast.device is cpu', ok: true }
  const found = async (device: Device): Promise<DeviceProbe> => probe(folder, device, { threads })
  if (wanted !== 'auto') {
    const tried = await found(wanted)
    return 'problem' in tried
      ? { device: 'cpu', reason: `${wanted} cannot be used: ${tried.problem}`, ok: false }
      : { device: wanted, reason: `forecast.device is ${wanted}; ${pace(tried)}`, ok: true }
  }
  if (!hasGpu()) return { device: 'cpu', reason: 'there is no GPU', ok: true }
  const cuda = await found('cuda')
  if (!('problem' in cuda)) return { device: 'cuda', reason: `CUDA works; ${pace(cuda)}`, ok: true }
  const webgpu = await found('webgpu')
  const noCuda = `no CUDA (${cuda.problem})`
  if ('problem' in webgpu) {
    return { device: 'cpu', reason: `${noCuda}, no WebGPU (${webgpu.problem})`, ok: true }
  }
  if (webgpu.adapter === 'software') {
    return { device: 'cpu', reason: `${noCuda}, and WebGPU would run on the processor`, ok: true }
  }
  const isFaster = webgpu.msPerWindow < webgpu.processorMsPerWindow
  return isFaster
    ? { device: 'webgpu', reason: `${noCuda}; WebGPU: ${pace(webgpu)}`, ok: true }
    : { device: 'cpu', reason: `${noCuda}; WebGPU is no faster: ${pace(webgpu)}`, ok: true }
}

const pace = ({ msPerWindow, processorMsPerWindow, adapter }: DeviceTrial): string =>
  `${msPerWindow.toPrecision(2)} ms a window, the processor ${processorMsPerWindow.toPrecision(2)}` +
  (adapter === 'software' ? '; a software adapter, no GPU' : '')

/** Whether it is worth asking: on Linux a GPU that can be used has a device file; elsewhere one has to try. */
export function thereIsAGpu(): boolean {
  if (process.platform !== 'linux') return true
  if (['/dev/nvidia0', '/dev/dxg', '/dev/kfd'].some((file) => existsSync(file))) return true
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('render'))
}
