export type Schedule = {
  /** Steps in all. */
  readonly steps: number
  /** The highest learning rate. */
  readonly peak: number
}

/** Steps until the learning rate is at its highest. */
const warmUpSteps = 100
/** The last learning rate, as a share of the highest. */
const lastShare = 0.01

/** The learning rate of `step` (from 1): up in a line, down in half a cosine. */
export function learningRate({ steps, peak }: Schedule, step: number): number {
  const warmUp = Math.min(warmUpSteps, Math.ceil(steps / 10))
  if (step <= warmUp) return (peak * step) / warmUp
  const done = (step - warmUp) / Math.max(1, steps - warmUp)
  return peak * (lastShare + (1 - lastShare) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, done))))
}
