import type { WindowBatch } from '@harbinger/shared/window/window-batch'
import { agreement, largestDifference, oneRow, probeWindows } from './agreement.ts'
import type { Device } from './device.ts'
import { type Inference, type NetworkForecast, openInference } from './inference.ts'
import { openPlaced } from './placement.ts'

export type OpenOn = (
  folder: string,
  on: { readonly threads: number; readonly device: Device },
) => Promise<Inference>

export type WatchedInference = Awaited<ReturnType<typeof openWatchedInference>>

/**
 * The network on the processor, and on a device beside it when `use` finds one that works. Each batch that the device
 * runs is checked by one of its windows on the processor; when the device fails or parts from it, the same batch is
 * run on the processor, and so are all after it.
 */
export async function openWatchedInference(
  folder: string,
  {
    threads = 2,
    open = openPlaced,
  }: { readonly threads?: number; readonly open?: OpenOn | undefined } = {},
) {
  const processor = await openInference(folder, { threads })
  let chosen: { readonly device: Device; readonly inference: Inference } | undefined
  let batches = 0

  async function lose(): Promise<void> {
    const { inference } = chosen!
    chosen = undefined
    // What is lost may not even close.
    await inference.close().catch(() => {})
  }

  async function onDevice(batch: WindowBatch): Promise<NetworkForecast> {
    const made = await chosen!.inference.infer(batch)
    const row = batches++ % batch.size
    const reference = await processor.infer(oneRow(batch, row))
    const difference = largestDifference(made, reference, row)
    if (difference <= agreement) return made
    throw new Error(`its numbers part from the processor's by ${difference.toPrecision(2)}`)
  }

  return {
    device: (): Device => chosen?.device ?? 'cpu',

    /** Moves to a device, or back to the processor. Rejects with why not, and then runs on the processor. */
    async use(device: Device): Promise<void> {
      if (chosen?.device === device) return
      if (chosen) await lose()
      if (device === 'cpu') return
      const inference = await open(folder, { threads, device })
      chosen = { device, inference }
      try {
        await onDevice(probeWindows(2))
      } catch (error) {
        await lose()
        throw error
      }
    },

    /** `lost` says why the device gave up during this batch; the forecast is the processor's then. */
    async infer(batch: WindowBatch): Promise<NetworkForecast & { readonly lost?: string }> {
      if (!chosen || batch.size === 0) return processor.infer(batch)
      try {
        return await onDevice(batch)
      } catch (error) {
        await lose()
        return { ...(await processor.infer(batch)), lost: (error as Error).message }
      }
    },

    async close(): Promise<void> {
      if (chosen) await lose()
      await processor.close()
    },
  }
}
