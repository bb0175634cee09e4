import { cpus } from 'node:os'
import { openInference } from '@harbinger/model-training/onnx/inference'
import { probeWindows } from '@harbinger/model-training/onnx/agreement'
import { type Device, devices } from '@harbinger/model-training/onnx/device'
import { probeDevice } from '@harbinger/model-training/onnx/device-probe'
import { openPlaced } from '@harbinger/model-training/onnx/placement'
import { baseModelFolder } from '@harbinger/model-training/model/shipped'
import { benchCycle } from './cycle-bench.ts'
import { type BenchReport, conditions } from './report.ts'
import { trainingStepMs } from './training-step.ts'

const agreementBar = 1e-3
const gpuBarMs = 1500

/**
 * What the devices of this machine do with the network: whether they agree with the processor, 10,000 windows, a
 * training step; on a real GPU a hub's cycle of 10,000 servers too. Why a device cannot be used stands beside.
 */
export async function benchDevices({
  small = false,
  cycle = true,
  now = Date.now,
}: {
  readonly small?: boolean
  /** False leaves out the hub's cycle of 10,000 servers, whose history takes minutes to make. */
  readonly cycle?: boolean
  readonly now?: () => number
} = {}): Promise<readonly BenchReport[]> {
  const folder = baseModelFolder
  const windows = small ? 64 : 10_000
  const reports: BenchReport[] = []
  const absent: { [what: string]: string } = {}
  const processorMs = await inferenceMs(folder, 'cpu', windows)
  const processorStepMs = await trainingStepMs('cpu', small ? 2 : 10)
  for (const device of devices) {
    const tried = await probeDevice(folder, device)
    if ('problem' in tried) {
      absent[device] = tried.problem
      continue
    }
    const { adapter, onDevice, elsewhere, largestDifference } = tried
    const at = conditions(
      { device, adapter, processor: cpus()[0]?.model, windows, nodesOnDevice: onDevice, small },
      now,
    )
    const report = (
      name: string,
      [figure, unit, bar]: readonly [number, string, string],
      ok: boolean,
      processor?: number,
    ): void => {
      const peer =
        processor === undefined
          ? null
          : { name: 'the processor', figure: processor, ratio: figure / processor }
      reports.push({
        ...{ name: `${device}: ${name}`, figure, unit, bar, ok, peer, conditions: at },
        beside: { nodesElsewhere: elsewhere },
      })
    }
    report(
      'furthest from the processor',
      [largestDifference, 'of the number or 1', `≤ ${agreementBar}`],
      largestDifference <= agreementBar,
    )
    // A software adapter is for tests: its pace says nothing of a GPU.
    if (adapter === 'software') {
      report('a window', [tried.msPerWindow, 'ms', 'none'], true, tried.processorMsPerWindow)
      continue
    }
    const ms = device === 'cpu' ? processorMs : await inferenceMs(folder, device, windows)
    report(`${windows} windows`, [ms, 'ms', 'none'], true, processorMs)
    try {
      const stepMs =
        device === 'cpu' ? processorStepMs : await trainingStepMs(device, small ? 2 : 50)
      report('a training step', [stepMs, 'ms', 'none'], true, processorStepMs)
    } catch (error) {
      absent[`training on ${device}`] = (error as Error).message
    }
    if (device === 'cpu' || small || !cycle) continue
    for (const figure of await benchCycle({ servers: 10_000, device, now })) {
      const isCycle = figure.name.startsWith('cycle')
      const bar = isCycle ? `≤ ${gpuBarMs}` : figure.bar
      reports.push({ ...figure, bar, name: `${device}: ${figure.name}` })
    }
  }
  // A device that is not there has no figure; why, stands beside the first that is.
  return reports.map((report, i) =>
    i > 0 ? report : { ...report, beside: { ...report.beside, absent } },
  )
}

/** Wall time of so many windows, after one round that warms up. */
async function inferenceMs(folder: string, device: Device, windows: number): Promise<number> {
  const { infer, close } = await (device === 'cpu'
    ? openInference(folder)
    : openPlaced(folder, { threads: 2, device }))
  const batch = probeWindows(Math.min(windows, 512))
  await infer(batch)
  const began = performance.now()
  for (let done = 0; done < windows; done += batch.size) await infer(batch)
  const took = performance.now() - began
  await close()
  return took
}
