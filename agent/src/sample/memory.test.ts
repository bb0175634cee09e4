import { expect, test } from 'vitest'
import { memoryCollector, parseMemory } from './memory.ts'

const collect = (meminfo: string) => memoryCollector({ text: () => meminfo }).collect()

test('reports what programs could not have, and swap in use', () => {
  expect(
    collect(
      'MemTotal:  1000 kB\nMemFree:  10 kB\nMemAvailable:  250 kB\nSwapTotal: 400 kB\nSwapFree: 300 kB\n',
    ),
  ).toEqual({ mem_used_pct: 75, swap_used_pct: 25 })
})

test('a server without swap uses 0 of it', () => {
  expect(
    collect('MemTotal: 1000 kB\nMemAvailable: 250 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n'),
  ).toEqual({ mem_used_pct: 75, swap_used_pct: 0 })
})

test('an old kernel that does not say what is available leaves memory absent, not guessed', () => {
  expect(
    collect('MemTotal: 1000 kB\nMemFree: 10 kB\nSwapTotal: 400 kB\nSwapFree: 300 kB\n'),
  ).toEqual({
    swap_used_pct: 25,
  })
})

test('a kernel that does not mention swap leaves it absent', () => {
  expect(collect('MemTotal: 1000 kB\nMemAvailable: 250 kB\n')).toEqual({ mem_used_pct: 75 })
})

test.each(['', 'MemFree: 1 kB\n', 'MemTotal: 0 kB\n'])('refuses %j as /proc/meminfo', (meminfo) => {
  expect(() => parseMemory(meminfo)).toThrow('/proc/meminfo has no MemTotal')
})
