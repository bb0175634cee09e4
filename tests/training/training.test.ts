import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { simulatedHistory } from '../../model-training/src/history/simulated-history.ts'
import { graphsFolder } from '../../model-training/src/model/shipped.ts'
import { openTraining, type TrainingState } from '../../model-training/src/onnx/training.ts'
import { readCheckpoint } from '../../model-training/src/train/checkpoint.ts'
import { initialWeights } from '../../model-training/src/train/initial-weights.ts'
import { profileScale } from '../../model-training/src/train/profile-scale.ts'
import { train, type TrainOptions } from '../../model-training/src/train/train.ts'
import { trainingBatch } from '../../model-training/src/train/training-batch.ts'
import { drawBatch } from '../../model-training/src/train/training-set.ts'

const monday = Date.UTC(2025, 2, 3)
const history = simulatedHistory({ seed: 5, servers: 8, startAt: monday, days: 4, stepMinutes: 5 })
const source = { history, weight: 1, from: history.from, to: history.from + 3 * 86_400_000 }
const held = { ...source, from: source.to, to: history.to }
const minute = 60_000

const folder = mkdtempSync(join(tmpdir(), 'training-'))
afterAll(() => rmSync(folder, { recursive: true }))

const options: TrainOptions = {
  graphs: graphsFolder,
  sources: [source],
  validation: [held],
  seed: 3,
  steps: 4,
  judgeEvery: 2,
  judgedWindows: 32,
  clock: () => performance.now(),
}

describe('training through ONNX Runtime', () => {
  test(
    'can learn eight windows by heart',
    async () => {
      const training = await openTraining(graphsFolder)
      const eight = drawBatch(trainingBatch(8), [source], { seed: 1, place: 0, augment: false })
      const batch = trainingBatch(64)
      for (const [name, values] of Object.entries(eight)) {
        if (typeof values === 'number') continue
        const target = batch[name as 'past']
        for (let i = 0; i < 8; i++) target.set(values as Float32Array, i * values.length)
      }
      const size = training.contract.trainableSize
      let state: TrainingState = {
        theta: initialWeights(training.contract, {
          seed: 1,
          profileScale: profileScale([source], 1),
        }),
        m: new Float32Array(size),
        v: new Float32Array(size),
      }
      const losses: number[] = []
      for (let step = 1; step <= 40; step++) {
        const { loss, ...next } = await training.step(state, batch, { step, lr: 0.005 })
        state = next
        losses.push(loss)
      }
      await training.close()
      expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!)
    },
    12 * minute,
  )

  test(
    'with one seed is the same twice, even when the second was killed on its way and goes on',
    async () => {
      const whole = await train(options)
      const checkpoints = join(folder, 'killed')
      let steps = 0
      await train({ ...options, checkpoints, stopped: () => ++steps === 2 })
      expect(readCheckpoint(checkpoints)!.step).toBe(2)
      // What a kill in the middle of writing leaves behind.
      writeFileSync(join(checkpoints, 'checkpoint.next'), 'half of it')
      const resumed = await train({ ...options, checkpoints })
      expect(readCheckpoint(checkpoints)!.step).toBe(4)
      expect(resumed.theta).toEqual(whole.theta)
      expect(resumed.losses).toEqual(whole.losses)
    },
    12 * minute,
  )

  test('of a history without enough in it is refused with its length', async () => {
    const sources = [{ ...source, to: source.from + 5 * 3_600_000 }]
    await expect(train({ ...options, sources })).rejects.toThrow(
      '5.0 h of history, expected more than 9 h',
    )
  })
})
