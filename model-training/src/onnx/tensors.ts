import { type WindowBatch, windowShapes } from '@harbinger/shared/window/window-batch'
import { Tensor } from 'onnxruntime-node'

export type Feeds = Record<string, Tensor>

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

export const floatTensor = (data: Float32Array, shape: readonly number[]): Tensor =>
  new Tensor('float32', data, shape)

/** Rows `from` up to `to` of a batch as the graphs' inputs, without copying. */
export function windowFeeds(batch: WindowBatch, from = 0, to = batch.size): Feeds {
  const feeds: Feeds = {}
  for (const [name, shape] of Object.entries(windowShapes)) {
    const width = sizeOf(shape)
    const data = batch[name as keyof typeof windowShapes].subarray(from * width, to * width)
    feeds[name] = floatTensor(data, [to - from, ...shape])
  }
  feeds.profile = new Tensor('int64', batch.profile.subarray(from, to), [to - from])
  return feeds
}

/** A graph's float output, or an error that names what the graph does answer. */
export function floatsOf(outputs: Record<string, unknown>, name: string): Float32Array {
  const tensor = outputs[name] as Tensor | undefined
  if (!tensor) {
    throw new Error(`the graph has no output ${name}; it has ${Object.keys(outputs).join(', ')}`)
  }
  return tensor.data as Float32Array
}
