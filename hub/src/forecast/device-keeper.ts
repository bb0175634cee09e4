import type { Device } from '@harbinger/model-training/onnx/device'
import type { Log } from '../log.ts'
import type { DeviceChoice } from './choose-device.ts'

export type DeviceState = {
  /** Where the network runs now. */
  readonly device: Device
  /** Why there. */
  readonly reason: string
  /** Set when it should run elsewhere: the device that was asked for failed, or the chosen one was lost. */
  readonly problem: string | null
}

export type DeviceKeeperOptions = {
  readonly choose: () => Promise<DeviceChoice>
  /** Moves the loaded model; rejects with why not. */
  readonly move: (device: Device) => Promise<void>
  readonly log: Log
  /** First pause before a device that failed is tried again; it doubles up to an hour. Default 60,000. */
  readonly firstRetryMs?: number | undefined
}

const longestRetryMs = 3_600_000
const starting: DeviceState = {
  device: 'cpu',
  reason: 'the devices are being tried',
  problem: null,
}

/** Keeps the network on the device that was chosen, and on the processor while that one fails. */
export function deviceKeeper({ choose, move, log, firstRetryMs = 60_000 }: DeviceKeeperOptions) {
  let state = starting
  let pauseMs = firstRetryMs
  let takenAt = 0
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let isClosed = false

  function failed(problem: string): void {
    state = { device: 'cpu', reason: problem, problem }
    log.warn({ reason: problem, pauseMs }, 'the device failed, the processor runs the network')
    if (isClosed) return
    // What worked for so long fails for a new reason.
    if (performance.now() - takenAt > longestRetryMs) pauseMs = firstRetryMs
    clearTimeout(timer)
    timer = setTimeout(() => void settle(), pauseMs)
    timer.unref()
    pauseMs = Math.min(longestRetryMs, pauseMs * 2)
  }

  async function choice(): Promise<void> {
    const { device, reason, ok } = await choose()
    if (isClosed) return
    if (!ok) return failed(reason)
    try {
      if (device !== 'cpu') await move(device)
      state = { device, reason, problem: null }
      takenAt = performance.now()
      log.info({ device, reason }, 'the network runs here')
    } catch (error) {
      failed(`${device} cannot be used: ${(error as Error).message}`)
    }
  }

  /** One choice at a time; what is asked for meanwhile is answered by it. */
  const settle = (): Promise<void> =>
    (running ??= choice().finally(() => {
      running = undefined
    }))

  return {
    state: (): DeviceState => state,
    settle,
    /** A batch failed on the device and the processor ran it. */
    lost: (reason: string): void => failed(`${state.device} was lost: ${reason}`),
    /** A model was loaded, which begins on the processor. */
    loaded(): void {
      if (state.problem !== null) return
      state = starting
      void settle()
    },
    /** A new worker knows no device. */
    restarted(): void {
      if (state.device === 'cpu') return
      failed(`the forecast worker ended while ${state.device} ran the network`)
    },
    close(): void {
      isClosed = true
      clearTimeout(timer)
    },
  }
}
