import { expect, test } from 'vitest'
import { simulatedHistory } from '../history/simulated-history.ts'
import { openBatchesAhead } from './batches-ahead.ts'
import { trainingBatch } from './training-batch.ts'
import { drawBatch, type Source } from './training-set.ts'

const fleet = () =>
  simulatedHistory({ seed: 5, servers: 3, startAt: Date.UTC(2025, 2, 3), days: 2 })
const sourcesOf = (history: ReturnType<typeof fleet>): Source[] => [
  { history, weight: 1, from: history.from, to: history.to },
]

test('draws what is drawn without it, at the first place and at the place of a resumed run', async () => {
  const here = sourcesOf(fleet())
  const ahead = openBatchesAhead(sourcesOf(fleet()), { seed: 7, size: 4 })
  try {
    for (const place of [1, 2, 3, 40, 41]) {
      const drawn = drawBatch(trainingBatch(4), here, { seed: 7, place })
      expect(await ahead.at(place)).toEqual(drawn)
    }
  } finally {
    await ahead.close()
  }
})

test('a history that is shared still reads as it did', async () => {
  const history = fleet()
  const before = fleet()
  const ahead = openBatchesAhead(sourcesOf(history), { seed: 7, size: 2 })
  await ahead.at(1)
  await ahead.close()
  expect(history.servers[0]!.series.mean.buffer).toBeInstanceOf(SharedArrayBuffer)
  const draw = (of: ReturnType<typeof fleet>) =>
    drawBatch(trainingBatch(2), sourcesOf(of), { seed: 7, place: 9 })
  expect(draw(history)).toEqual(draw(before))
  await expect(ahead.at(5)).rejects.toThrow(/ended/)
})

test('says so when there is nothing to draw', async () => {
  const history = fleet()
  history.servers.forEach(({ series }) => series.count.fill(0))
  const ahead = openBatchesAhead(sourcesOf(history), { seed: 7, size: 2 })
  try {
    await expect(ahead.at(1)).rejects.toThrow(/no window to learn from/)
  } finally {
    await ahead.close()
  }
})
