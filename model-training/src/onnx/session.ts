import { InferenceSession } from 'onnxruntime-node'

/** Opens a graph with the settings that every run of ours shares. */
export const openSession = (
  path: string,
  { threads, device = 'cpu' }: { readonly threads: number; readonly device?: string },
): Promise<InferenceSession> =>
  InferenceSession.create(path, {
    executionProviders: [device],
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Waiting threads that spin take the cores they wait for from whatever else runs: on two busy cores inference took
    // three times as long (model-training/LOG.md, "Inference").
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })
