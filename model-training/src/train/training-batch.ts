import { windowBatch, type WindowBatch } from '@harbinger/shared/window/window-batch'
import { truthBatch, type TruthBatch } from '../windows/truth.ts'

/** Windows with what followed them. */
export type TrainingBatch = WindowBatch & TruthBatch

export const trainingBatch = (size: number): TrainingBatch => ({
  ...windowBatch(size),
  ...truthBatch(size),
})
