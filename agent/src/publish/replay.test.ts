import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { silentLog } from '../log.ts'
import { replayOf } from './replay.ts'

test('says from where on a batch goes when its file turned out to be damaged', async () => {
  const said: (number | string)[] = []
  const replay = replayOf(
    {
      // The spool believes that it has 1 to 5, until it reads them.
      oldest: () => 1,
      last: () => 5,
      first: async () => [{ seq: 5, at: 0, json: '{"seq":5}' }],
    },
    {
      nextSeq: () => 6,
      clock: { monotonicMs: () => 0 },
      log: silentLog,
      send: async () => void said.push('a batch'),
      sayOldest: (seq) => void said.push(seq),
    },
  )
  replay.begin()
  while (said.length < 3) await turn()
  replay.stop()
  expect(said).toEqual([1, 5, 'a batch'])
})

test('sends a batch again after 30 s of other answers, then after twice as long', async () => {
  let now = 0
  let read = 0
  const replay = replayOf(
    {
      oldest: () => 1,
      last: () => 1,
      first: async () => {
        read++
        return [{ seq: 1, at: 0, json: '{"seq":1}' }]
      },
    },
    {
      nextSeq: () => 2,
      clock: { monotonicMs: () => now },
      log: silentLog,
      send: async () => void sent++,
      sayOldest() {},
    },
  )
  let sent = 0
  const answeredAt = async (seconds: number) => {
    now = seconds * 1000
    replay.onAck(0)
    await turn()
    return read
  }
  const sentAgain = async (times: number) => {
    while (sent < times) await turn()
  }
  replay.begin()
  await sentAgain(1)
  expect(await answeredAt(29)).toBe(1)
  expect(await answeredAt(31)).toBe(2)
  await sentAgain(2)
  expect(await answeredAt(31 + 59)).toBe(2)
  expect(await answeredAt(31 + 61)).toBe(3)
  replay.stop()
})
