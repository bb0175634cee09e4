import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openSequence } from './sequence.ts'

let directory: string
const onUnsafe = vi.fn()
const now = () => 1_767_225_600_000

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agent-sequence-'))
  onUnsafe.mockClear()
})
afterEach(() => rmSync(directory, { recursive: true }))

const open = () => openSequence(directory, { now, onUnsafe })

test('increases by one', () => {
  const sequence = open()
  const first = sequence.next()
  expect([sequence.next(), sequence.next()]).toEqual([first + 1, first + 2])
})

test('goes on by one after a clean stop', () => {
  const before = open()
  const last = before.next()
  before.close()
  expect(open().next()).toBe(last + 1)
})

test('uses no number twice after a crash', () => {
  const before = open()
  const used = Array.from({ length: 1_500 }, () => before.next())
  const next = open().next()
  expect(next).toBeGreaterThan(used.at(-1)!)
  expect(next - used.at(-1)!).toBeLessThanOrEqual(1_000)
})

test('writes to the disk once per thousand samples', () => {
  const sequence = open()
  sequence.next()
  const written = readFileSync(join(directory, 'seq'), 'utf8')
  for (let i = 0; i < 999; i++) sequence.next()
  expect(readFileSync(join(directory, 'seq'), 'utf8')).toBe(written)
  sequence.next()
  expect(readFileSync(join(directory, 'seq'), 'utf8')).not.toBe(written)
})

test('starts at the clock on a new disk, where 1 would repeat numbers the hub has seen', () => {
  expect(open().next()).toBe(1_767_225_600)
})

test.each(['', 'abc', '-5', '99999999999999999999'])(
  'says so when the file holds %j',
  (content) => {
    writeFileSync(join(directory, 'seq'), content)
    expect(open().next()).toBe(1_767_225_600)
    expect(onUnsafe).toHaveBeenCalledWith(expect.stringContaining('expected a number'))
  },
)

test('goes on behind what the spool holds, and far behind it when the file is lost', () => {
  const lastSpooled = 1_800_000_000
  const next = () => openSequence(directory, { now, onUnsafe, lastSpooled }).next()
  expect(next()).toBe(1_800_001_001)
  writeFileSync(join(directory, 'seq'), '1700000000')
  expect(next()).toBe(1_800_000_001)
})

test('tells the next number without using it', () => {
  const sequence = open()
  expect(sequence.peek()).toBe(sequence.next())
})

test('counts on when the directory cannot be written, and says so', () => {
  // A file stands where the directory should be. (Below /proc, Node 24's recursive mkdir never returns.)
  writeFileSync(join(directory, 'taken'), '')
  const sequence = openSequence(join(directory, 'taken', 'state'), { now, onUnsafe })
  expect(sequence.next() + 1).toBe(sequence.next())
  expect(onUnsafe).toHaveBeenCalledWith(expect.stringContaining('cannot be written'))
})
