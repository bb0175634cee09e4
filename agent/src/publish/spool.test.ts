import { describe, expect, test } from 'vitest'
import { replayOf } from './replay.ts'
import { memorySpool } from './spool.ts'

const sample = (seq: number) => ({ seq, json: `{"seq":${seq}}` })

const holding = (max: number, ...numbers: number[]) => {
  const spool = memorySpool(max)
  for (const seq of numbers) spool.add(sample(seq))
  return spool
}

const all = (spool: ReturnType<typeof memorySpool>) => spool.after(-1, 1e9).map(({ seq }) => seq)

describe('memory spool', () => {
  test('keeps samples until they are acknowledged', () => {
    const spool = holding(10, 3, 4, 7, 9)
    spool.forgetUpTo(7)
    expect(all(spool)).toEqual([9])
    expect(spool.size()).toBe(1)
  })

  test('an acknowledgement of a number in a gap covers what lies before it', () => {
    const spool = holding(10, 3, 4, 1000)
    spool.forgetUpTo(999)
    expect(all(spool)).toEqual([1000])
  })

  test('an old acknowledgement brings nothing back', () => {
    const spool = holding(10, 3, 4)
    spool.forgetUpTo(4)
    spool.forgetUpTo(1)
    expect(spool.size()).toBe(0)
  })

  test('drops the oldest when it is full, and counts what it dropped', () => {
    const spool = holding(3, 1, 2, 3, 4, 5)
    expect(all(spool)).toEqual([3, 4, 5])
    expect(spool.dropped()).toBe(2)
  })

  test('stays in order over thousands of samples added, dropped and forgotten', () => {
    const spool = memorySpool(500)
    for (let seq = 1; seq <= 5_000; seq++) {
      spool.add(sample(seq))
      if (seq % 700 === 0) spool.forgetUpTo(seq - 100)
    }
    expect(all(spool)).toEqual(Array.from({ length: 200 }, (_, i) => 4_801 + i))
  })

  test('refuses a sample out of order', () => {
    expect(() => holding(10, 5, 5)).toThrow('got 5 after 5')
  })
})

describe('replay', () => {
  test('walks once through what was there, in order and in batches', () => {
    const spool = holding(10, 1, 2, 3, 4, 5)
    const replay = replayOf(spool, { end: 4, batch: 3 })
    const first = replay.next()
    expect(first?.map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(replay.takenUpTo()).toBe(3)
    spool.add(sample(6))
    expect(replay.next()?.map(({ seq }) => seq)).toEqual([4])
    expect(replay.next()).toBeUndefined()
  })
})
