import { parentPort } from 'node:worker_threads'
import { serveQuestions } from '../../hub/src/forecast/serve-questions.ts'
import { openInference } from '../../model-training/src/onnx/inference.ts'

/**
 * The hub's own worker, with a device that is the processor in disguise and does what HARBINGER_TEST_DEVICE says at
 * the moment: works, is lost, answers something else, cannot be opened, or takes its thread with it.
 */
serveQuestions(parentPort!, {
  async open(folder, { threads }) {
    if (process.env['HARBINGER_TEST_DEVICE'] === 'absent') throw new Error('no adapter')
    const { infer, close } = await openInference(folder, { threads })
    return {
      close,
      async infer(batch) {
        const does = process.env['HARBINGER_TEST_DEVICE']
        if (does === 'lost') throw new Error('the GPU fell off the bus')
        if (does === 'crash') setImmediate(() => process.exit(3))
        if (does === 'crash') return new Promise(() => {})
        const made = await infer(batch)
        if (does !== 'wrong') return made
        return { ...made, quantiles: made.quantiles.map((x) => x * 1.01 + 0.01) }
      },
    }
  },
})
