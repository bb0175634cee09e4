import { expect, test } from 'vitest'
import { nextTurn } from '../window/slices.ts'
import { turns } from './turns.ts'

/** A queue that works for two turns of the event loop on each item, and what it did. */
function working() {
  const done: string[] = []
  let under = 0
  const queue = turns(async (item: string) => {
    expect(++under).toBe(1)
    await nextTurn()
    await nextTurn()
    under--
    done.push(item)
  })
  const until = async (n: number) => {
    while (done.length < n) await nextTurn()
    return done
  }
  return { queue, until }
}

test('what is urgent goes before all that waits, one at a time, each kind in its order', async () => {
  const { queue, until } = working()
  for (const item of ['chunk 1', 'chunk 2', 'chunk 3']) queue.add(item)
  await nextTurn()
  queue.add('one', true)
  queue.add('two', true)
  expect(await until(5)).toEqual(['chunk 1', 'one', 'two', 'chunk 2', 'chunk 3'])
  queue.add('later')
  expect(await until(6)).toContain('later')
})

test('what became urgent while something ran is next', async () => {
  const { queue, until } = working()
  queue.add('chunk 1')
  queue.add('chunk 2')
  await until(1)
  queue.add('now', true)
  expect(await until(3)).toEqual(['chunk 1', 'now', 'chunk 2'])
})

test('a flood of urgent ones leaves room for the others', async () => {
  const { queue, until } = working()
  queue.add('first')
  queue.add('patient')
  for (let i = 0; i < 30; i++) queue.add(`urgent ${i}`, true)
  const done = await until(32)
  expect(done.indexOf('patient')).toBeLessThan(12)
})
