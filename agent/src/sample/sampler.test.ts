import { expect, test, vi } from 'vitest'
import { silentLog } from '../log.ts'
import type { Collector } from './collector.ts'
import { openSampler } from './sampler.ts'

const load: Collector = {
  name: 'load',
  reads: ['load_average'],
  collect: () => ({ load_average: 1 }),
}

const open = (collectors: readonly Collector[], log = silentLog) =>
  openSampler({ collectors, cores: () => 4, now: () => 1_000, log, timeoutMs: 20 })

test('combines what the collectors say', async () => {
  expect(await open([load]).takeSample(7)).toEqual({
    v: '1.0.0',
    seq: 7,
    at: 1_000,
    cores: 4,
    m: { load_average: 1 },
  })
})

test('a failing collector costs its own readings only, and the log hears of it once', async () => {
  const warn = vi.fn()
  const info = vi.fn()
  const collect = vi.fn<Collector['collect']>(() => {
    throw new Error('no /proc')
  })
  const sampler = open([{ name: 'disk', reads: ['disk_usage_pct'], collect }, load], {
    ...silentLog,
    warn,
    info,
  })
  await sampler.takeSample(1)
  expect((await sampler.takeSample(2)).m).toEqual({ load_average: 1 })
  expect(warn).toHaveBeenCalledTimes(1)
  expect(sampler.failures().get('disk')).toBe('no /proc')

  collect.mockImplementation(() => ({ disk_usage_pct: 5 }))
  expect((await sampler.takeSample(3)).m).toEqual({ disk_usage_pct: 5, load_average: 1 })
  expect(info).toHaveBeenCalledTimes(1)
})

test('does not wait for a disk that never answers, and does not ask it again meanwhile', async () => {
  const collect = vi.fn(() => new Promise<never>(() => {}))
  const sampler = open([{ name: 'disk', reads: ['disk_usage_pct'], collect }, load])
  expect((await sampler.takeSample(1)).m).toEqual({ load_average: 1 })
  expect((await sampler.takeSample(2)).m).toEqual({ load_average: 1 })
  expect(collect).toHaveBeenCalledTimes(1)
})
