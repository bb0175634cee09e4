import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { probeWindows } from './agreement.ts'
import type { Device } from './device.ts'
import { openInference } from './inference.ts'

const providers: { readonly [device in Device]: string } = {
  cpu: 'CPUExecutionProvider',
  webgpu: 'WebGpuExecutionProvider',
  cuda: 'CUDAExecutionProvider',
}

/** How many of the network's nodes ran on the device, and how many the runtime kept on the processor. */
export type Placement = { readonly onDevice: number; readonly elsewhere: number }

/**
 * Opens the network on a device and runs it once, with the runtime writing down where each node ran: a session that
 * was asked for a device and quietly runs on the processor is refused.
 */
export async function openPlaced(
  folder: string,
  { threads, device }: { readonly threads: number; readonly device: Device },
) {
  const notes = mkdtempSync(join(tmpdir(), 'harbinger-device-'))
  try {
    const profilePrefix = join(notes, 'ran')
    const { endProfiling, ...inference } = await openInference(folder, {
      ...{ threads, device, profilePrefix },
    })
    try {
      await inference.infer(probeWindows(1))
      endProfiling()
      const placement = readPlacement(notes, device)
      if (placement.onDevice <= placement.elsewhere) {
        throw new Error(
          `only ${placement.onDevice} of ${placement.onDevice + placement.elsewhere} nodes ran on ${device}`,
        )
      }
      return { ...inference, placement }
    } catch (error) {
      await inference.close()
      throw error
    }
  } finally {
    rmSync(notes, { recursive: true, force: true })
  }
}

type Note = { readonly cat: string; readonly args?: { readonly provider?: string } }

function readPlacement(folder: string, device: Device): Placement {
  const file = readdirSync(folder)[0]
  if (file === undefined) throw new Error('the runtime did not say where the network ran')
  const ran = (JSON.parse(readFileSync(join(folder, file), 'utf8')) as Note[]).filter(
    ({ cat, args }) => cat === 'Node' && args?.provider !== undefined,
  )
  const onDevice = ran.filter(({ args }) => args!.provider === providers[device]).length
  return { onDevice, elsewhere: ran.length - onDevice }
}

/**
 * What is behind the graphics interface: on Linux a driver of a real GPU holds its device file open, one that computes
 * on the processor holds none. Elsewhere it is not known.
 */
export function adapterKind(): 'gpu' | 'software' | 'unknown' {
  if (process.platform !== 'linux') return 'unknown'
  const open = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return open.some((file) => /^\/dev\/(dri\/render|nvidia|kfd|dxg)/.test(file)) ? 'gpu' : 'software'
}
