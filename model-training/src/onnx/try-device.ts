import { agreement, largestDifference, probeWindows } from './agreement.ts'
import { type Device, devices } from './device.ts'
import type { DeviceProbe } from './device-probe.ts'
import { type Inference, openInference } from './inference.ts'
import { adapterKind, openPlaced } from './placement.ts'

/** A process that tries one device and prints what it saw as JSON. Arguments: model folder, device, threads. */
const [folder = '', asked = '', threads = '2'] = process.argv.slice(2)
const device = devices.find((known) => known === asked)
if (!device) throw new Error(`there is no device ${asked}; there are ${devices.join(', ')}`)

async function tried(device: Device): Promise<DeviceProbe> {
  try {
    const processor = await openInference(folder, { threads: Number(threads) })
    const placed = await openPlaced(folder, { threads: Number(threads), device })
    const adapter = device === 'cpu' ? 'unknown' : adapterKind()
    const few = probeWindows(2)
    const difference = largestDifference(await placed.infer(few), await processor.infer(few))
    if (!(difference <= agreement)) {
      const found = difference.toPrecision(2)
      return { device, problem: `its numbers part from the processor's by ${found}` }
    }
    // As many as a run on a GPU takes; on the processor pretending to be one, as few and as seldom as show it.
    const isSoftware = adapter === 'software'
    const many = isSoftware ? few : probeWindows(256)
    const runs = isSoftware ? 1 : 3
    return {
      ...{ device, adapter, ...placed.placement, largestDifference: difference },
      msPerWindow: await timed(placed, many, runs),
      processorMsPerWindow: await timed(processor, many, runs),
    }
  } catch (error) {
    return { device, problem: firstLine((error as Error).message) }
  }
}

/** Median of some runs, ms per window; more than one warm up first. */
async function timed(inference: Inference, windows: ReturnType<typeof probeWindows>, runs: number) {
  if (runs > 1) await inference.infer(windows)
  const took: number[] = []
  for (let i = 0; i < runs; i++) {
    const began = performance.now()
    await inference.infer(windows)
    took.push((performance.now() - began) / windows.size)
  }
  return took.sort((a, b) => a - b)[Math.floor(runs / 2)]!
}

/** What the runtime says after its own file and line. */
const firstLine = (message: string): string =>
  message
    .trim()
    .split('\n')[0]!
    .replace(/^\/\S+:\d+ .*? was false\. /, '')

process.stdout.write(`${JSON.stringify(await tried(device))}\n`)
