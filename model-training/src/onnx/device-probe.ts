import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Device } from './device.ts'
import type { Placement } from './placement.ts'

/** What a device did when it was tried: milliseconds per window, beside the processor's in the same minute. */
export type DeviceTrial = Placement & {
  readonly device: Device
  readonly adapter: 'gpu' | 'software' | 'unknown'
  readonly msPerWindow: number
  readonly processorMsPerWindow: number
  /** From the processor's numbers; see largestDifference. */
  readonly largestDifference: number
}

export type DeviceProbe = DeviceTrial | { readonly device: Device; readonly problem: string }

const program = fileURLToPath(new URL('./try-device.ts', import.meta.url))

export type ProbeDevice = (
  folder: string,
  device: Device,
  options?: { readonly threads?: number; readonly timeoutMs?: number },
) => Promise<DeviceProbe>

/**
 * Tries a device in a process of its own, because a driver that fails may take its process with it. Never rejects:
 * what cannot be used has a `problem`.
 */
export const probeDevice: ProbeDevice = (
  folder,
  device,
  { threads = 2, timeoutMs = 120_000 } = {},
) =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, folder, device, String(threads)],
      { timeout: timeoutMs, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        // Drivers talk too: ours is the last line.
        const said = stdout.trim().split('\n').at(-1) ?? ''
        if (said.startsWith('{')) return resolve(JSON.parse(said) as DeviceProbe)
        const problem =
          error?.killed === true
            ? `it gave no answer for ${timeoutMs / 1000} s`
            : `the trial ended with ${error?.signal ?? `code ${error?.code}`}: ${lastLine(stderr)}`
        resolve({ device, problem })
      },
    )
  })

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''
