import { expect, test } from 'vitest'
import { inSlices, nextTurn, sliceMs } from './slices.ts'

/** Longer than a slice: every item is one of its own. */
function work(): void {
  const until = performance.now() + sliceMs + 1
  while (performance.now() < until);
}

test('of all who work in slices, one goes on per turn of the event loop', async () => {
  const seen: string[] = []
  let done = false
  const turns = async () => {
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve))
      seen.push('turn')
    }
  }
  const jobs = ['a', 'b', 'c'].map((name) =>
    inSlices([1, 2, 3, 4], () => {
      work()
      seen.push(name)
    }),
  )
  const watching = turns()
  await Promise.all(jobs)
  done = true
  await watching
  // The first slice of each is made where it is called.
  const later = seen.slice(3).join(' ')
  expect(later.match(/[abc]/g)).toHaveLength(9)
  expect(later).not.toMatch(/[abc] [abc]/)
})

test('who waits for a turn gets one, in the order of asking', async () => {
  const seen: number[] = []
  await Promise.all([1, 2, 3].map(async (n) => (await nextTurn(), seen.push(n))))
  await nextTurn().then(() => seen.push(4))
  expect(seen).toEqual([1, 2, 3, 4])
})
