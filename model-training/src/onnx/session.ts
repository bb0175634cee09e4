import { InferenceSession } from 'onnxruntime-node'
import type { Device } from './device.ts'

// The official builds of the runtime report their use to Microsoft unless the environment says otherwise before the
// first session; nothing of a hub leaves it unasked. Read from the real environment of the process: a worker thread
// that opens sessions has to share it.
/* eslint-disable no-restricted-properties -- said to libraries, not read from users */
process.env.ORT_DISABLE_TELEMETRY = '1'
// Tensor cores that round to 10 bits would part from the processor by more than the 1e-3 we answer for.
process.env.NVIDIA_TF32_OVERRIDE ??= '0'
/* eslint-enable no-restricted-properties */

export type SessionOptions = {
  readonly threads: number
  /** Default cpu. */
  readonly device?: Device
  /** Writes what ran where into `<prefix>_<time>.json` until `endProfiling`. */
  readonly profilePrefix?: string
}

/** Opens a graph with the settings that every run of ours shares. */
export const openSession = (
  path: string,
  { threads, device = 'cpu', profilePrefix }: SessionOptions,
): Promise<InferenceSession> =>
  InferenceSession.create(path, {
    executionProviders: [device],
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // On a device the runtime warns of every graph whose shapes it works out on the processor; ours is looked at.
    logSeverityLevel: 3,
    ...(profilePrefix === undefined
      ? {}
      : { enableProfiling: true, profileFilePrefix: profilePrefix }),
    // Waiting threads that spin take the cores they wait for from whatever else runs: on two busy cores inference took
    // three times as long (model-training/LOG.md, "Inference").
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })
