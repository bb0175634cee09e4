import { expect, test, vi } from 'vitest'
import { gatherAfter, groupCommit } from './group-commit.ts'

test('messages that come together are kept together, and each hears of it', async () => {
  const keep = vi.fn((group: readonly number[]) => group.length)
  const commits = groupCommit(keep)
  expect(await Promise.all([commits.add(1), commits.add(2)])).toEqual([2, 2])
  expect(keep.mock.calls).toEqual([[[1, 2]]])
  expect(commits.waiting()).toBe(0)
})

test('a group that could not be kept is refused to each of it, and the next one is tried', async () => {
  const keep = vi.fn((group: readonly number[]) => group.length)
  keep.mockImplementationOnce(() => {
    throw new Error('disk full')
  })
  const commits = groupCommit(keep)
  await expect(Promise.all([commits.add(1), commits.add(2)])).rejects.toThrow('disk full')
  expect(await commits.add(3)).toBe(1)
})

test('so many messages wait for no clock', async () => {
  const keep = vi.fn((group: readonly number[]) => group.length)
  const commits = groupCommit(keep)
  const all = Array.from({ length: 256 }, (_, i) => commits.add(i))
  expect(keep).toHaveBeenCalledTimes(1)
  expect(new Set(await Promise.all(all))).toEqual(new Set([256]))
})

test('on a slow disk groups gather for longer, within bounds', () => {
  expect([0, 0.5, 2, 8, 200].map(gatherAfter)).toEqual([4, 4, 8, 32, 50])
})
