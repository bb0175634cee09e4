import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Log, silentLog } from '../log.ts'
import { openSpool, type Spool, type SpoolOptions } from './spool.ts'

const start = 1_767_225_600_000
const day = 86_400_000

let directory: string
let clock: { wall: number; elapsed: number }
let warned: string[]
let log: Log
let opened: Spool[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agent-spool-'))
  clock = { wall: start, elapsed: 0 }
  warned = []
  const say = (_fields: object, message: string) => void warned.push(message)
  log = { ...silentLog, warn: say, error: say }
  opened = []
})
afterEach(async () => {
  for (const spool of opened) await spool.close()
  rmSync(directory, { recursive: true, force: true })
})

const open = (options: Partial<SpoolOptions> = {}, folder = directory): Spool => {
  const spool = openSpool(folder, {
    maxBytes: 64e6,
    maxAgeMs: 7 * day,
    maxInMemory: 1_000,
    clock: { now: () => clock.wall, monotonicMs: () => clock.elapsed },
    log,
    ...options,
  })
  opened.push(spool)
  return spool
}

const sample = (seq: number, at = start + seq) => ({
  seq,
  at,
  json: JSON.stringify({ seq, at, text: 'ü'.repeat(50) }),
})

/** Added, and on disk. */
async function holding(spool: Spool, ...numbers: number[]): Promise<Spool> {
  for (const seq of numbers) {
    spool.add(sample(seq))
    await spool.idle()
  }
  return spool
}

const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i)

/** Everything it keeps, as the hub would get it. */
async function drained(spool: Spool): Promise<number[]> {
  const seqs: number[] = []
  for (;;) {
    const samples = await spool.first(500)
    if (samples.length === 0) return seqs
    for (const { seq, json } of samples) {
      expect(json).toBe(sample(seq, (JSON.parse(json) as { at: number }).at).json)
      seqs.push(seq)
    }
    spool.forgetUpTo(samples.at(-1)!.seq)
  }
}

const folder = () => join(directory, 'spool')
const files = () => readdirSync(folder()).sort()

describe('spool', () => {
  test('keeps samples until they are acknowledged', async () => {
    const spool = await holding(open(), 3, 4, 5, 6)
    spool.forgetUpTo(4)
    expect(spool.oldest()).toBe(5)
    expect(spool.state()).toMatchObject({ samples: 2, dropped: 0, problem: undefined })
    spool.forgetUpTo(1)
    expect(await drained(spool)).toEqual([5, 6])
    expect(spool.oldest()).toBeUndefined()
  })

  test('an acknowledgement of a number in a gap covers what lies before it', async () => {
    const spool = await holding(open(), 3, 4, 1000, 1001)
    expect(await spool.first(10)).toHaveLength(2)
    spool.forgetUpTo(999)
    expect(await drained(spool)).toEqual([1000, 1001])
  })

  test('an acknowledgement of what was never taken does not reach what will be', async () => {
    const spool = await holding(open(), 3)
    spool.forgetUpTo(1e9)
    await holding(spool, 4)
    expect(await drained(spool)).toEqual([4])
  })

  test('has after a kill what it had before it, in order', async () => {
    const killed = await holding(open(), ...from(1, 200))
    killed.forgetUpTo(50)
    await holding(killed, 201)
    // Never closed: what is in the files is all there is.
    const spool = open()
    expect(spool.oldest()).toBe(51)
    expect(spool.last()).toBe(201)
    expect(spool.state().samples).toBe(151)
    await holding(spool, 1001)
    expect(await drained(spool)).toEqual([...from(51, 151), 1001])
  })

  test('an acknowledgement costs no write, and is known after a clean stop', async () => {
    const spool = await holding(open(), 1, 2, 3)
    const size = () => statSync(join(folder(), files()[0]!)).size
    const before = size()
    spool.forgetUpTo(3)
    expect(size()).toBe(before)
    await spool.close()
    expect(open().oldest()).toBeUndefined()
  })

  test('cuts off a torn last record, says so, and keeps what stands before it', async () => {
    await holding(open(), 1, 2, 3)
    const file = join(folder(), files()[0]!)
    truncateSync(file, statSync(file).size - 7)
    const spool = open()
    expect(warned).toEqual([expect.stringContaining('torn')])
    await holding(spool, 1001)
    expect(await drained(spool)).toEqual([1, 2, 1001])
  })

  test.each([
    ['zeros', Buffer.alloc(4096)],
    ['nonsense', Buffer.from('x'.repeat(500))],
    ['the beginning of a header', Buffer.from([10, 0, 0])],
  ])('survives %s behind its last record', async (_, rubbish) => {
    await holding(open(), 1, 2)
    appendFileSync(join(folder(), files()[0]!), rubbish)
    const spool = open()
    expect(await drained(spool)).toEqual([1, 2])
    expect(warned).toHaveLength(1)
  })

  test('a last record whose bytes never came to the disk is as good as torn', async () => {
    await holding(open(), 1, 2, 3)
    const file = join(folder(), files()[0]!)
    const content = readFileSync(file)
    content.fill(0, content.length - 20)
    writeFileSync(file, content)
    const spool = open()
    expect(spool.last()).toBe(2)
    expect(warned).toEqual([expect.stringContaining('torn')])
    expect(await drained(spool)).toEqual([1, 2])
  })

  test('zeros at the end of an older file are no samples', async () => {
    await holding(open(), 1, 2, 1000)
    appendFileSync(join(folder(), files()[0]!), Buffer.alloc(4096))
    writeFileSync(join(folder(), '0000000000000000.spool'), `HBSPOOL1${'\0'.repeat(500)}`)
    const spool = open()
    expect(spool.state()).toMatchObject({ samples: 3, dropped: 0 })
    expect(await drained(spool)).toEqual([1, 2, 1000])
  })

  test('loses what stands behind a damaged record, counts it and goes on', async () => {
    await holding(open(), 1, 2, 3, 4, 5, 1000, 1001)
    const file = join(folder(), files()[0]!)
    const content = readFileSync(file)
    content[content.indexOf('"seq":4')]! ^= 1
    writeFileSync(file, content)
    const spool = open()
    expect(await drained(spool)).toEqual([1, 2, 3, 1000, 1001])
    expect(spool.state().dropped).toBe(2)
    expect(warned).toEqual([expect.stringContaining('damaged')])
  })

  test('a file that vanished is counted as dropped', async () => {
    const spool = await holding(open(), 1, 2, 3, 1000)
    rmSync(join(folder(), files()[0]!))
    expect(await drained(spool)).toEqual([1000])
    expect(spool.state().dropped).toBe(3)
  })

  test('drops the oldest when it is full, and still knows how many after a restart', async () => {
    const spool = open({ maxBytes: 1e6 })
    for (const seq of from(1, 10_000)) spool.add(sample(seq))
    await spool.idle()
    // More than a thousand at once wait in memory for a disk; the rest of the writes fits them.
    for (let seq = 10_001; seq <= 20_000; seq += 100) await holding(spool, ...from(seq, 100))
    const { samples, dropped, bytes } = spool.state()
    expect(bytes).toBeLessThanOrEqual(1e6)
    expect(samples + dropped).toBe(20_000)
    expect(spool.oldest()).toBe(dropped + 1)
    const again = open({ maxBytes: 1e6 })
    expect(again.state()).toMatchObject({ samples, dropped })
    expect(await drained(again)).toEqual(from(dropped + 1, samples))
  })

  test('removes files whose samples are all acknowledged', async () => {
    const spool = open()
    for (let seq = 1; seq <= 5_000; seq += 100) {
      await holding(spool, ...from(seq, 100))
      spool.forgetUpTo(seq + 98)
    }
    expect(files().length).toBeLessThanOrEqual(2)
    expect(await drained(spool)).toEqual([5_000])
  })

  test('drops what is too old', async () => {
    const spool = open()
    const hours = 8 * 24
    for (let hour = 0; hour < hours; hour++) {
      clock = { wall: start + hour * 3_600_000, elapsed: hour * 3_600_000 }
      spool.add(sample(hour, clock.wall))
      await spool.idle()
    }
    const kept = await drained(spool)
    expect(kept.length).toBeGreaterThanOrEqual(7 * 24)
    expect(kept.length).toBeLessThan(7 * 24 + 8)
    expect(spool.state().dropped).toBe(hours - kept.length)
    expect(warned[0]).toContain('spoolDays')
  })

  test.each([
    ['forward', 400 * day],
    ['back', -400 * day],
  ])('a clock that is set %s makes no sample too old', async (_, step) => {
    const spool = await holding(open(), 1, 2)
    clock = { wall: start + step, elapsed: 3_600_000 }
    spool.add(sample(3, clock.wall))
    await spool.idle()
    expect(await drained(spool)).toEqual([1, 2, 3])
  })

  test('a clock that is wrong at the start and then set makes no sample too old', async () => {
    await holding(open(), 1, 2)
    clock.wall = start + 400 * day
    const spool = open()
    await holding(spool, 1001)
    clock = { wall: start + 3_600_000, elapsed: 3_600_000 }
    await holding(spool, 1002)
    expect(await drained(spool)).toEqual([1, 2, 1001, 1002])
  })

  test('goes on in memory where the folder cannot be written, says so, and returns to disk', async () => {
    // A file stands where the folder should be.
    writeFileSync(folder(), '')
    const spool = await holding(open(), 1, 2, 3)
    expect(spool.state().problem).toContain('EEXIST')
    expect(spool.state().samples).toBe(3)
    expect(warned).toEqual([expect.stringContaining('kept in memory')])
    expect((await spool.first(10)).map(({ seq }) => seq)).toEqual([1, 2, 3])
    spool.forgetUpTo(1)
    rmSync(folder())
    await holding(spool, 4)
    expect(spool.state()).toMatchObject({ problem: undefined, samples: 3 })
    expect(await drained(open())).toEqual([2, 3, 4])
  })

  test('keeps no more in memory than it may, and counts the rest', async () => {
    writeFileSync(folder(), '')
    const spool = await holding(open({ maxInMemory: 3 }), ...from(1, 10))
    expect(spool.state()).toMatchObject({ samples: 3, dropped: 7 })
    expect((await spool.first(10)).map(({ seq }) => seq)).toEqual([8, 9, 10])
  })

  test('refuses a sample out of order', async () => {
    const spool = await holding(open(), 5)
    expect(() => spool.add(sample(5))).toThrow('got 5 after 5')
  })

  test('does not read a file of another format', async () => {
    await holding(open(), 1)
    writeFileSync(join(folder(), files()[0]!), 'HBSPOOL9 something newer')
    expect(open().oldest()).toBeUndefined()
    expect(warned).toHaveLength(1)
  })
})
