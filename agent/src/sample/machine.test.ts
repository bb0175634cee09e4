import { fileURLToPath } from 'node:url'
import { checkSample } from '@harbinger/shared/sample'
import { expect, test } from 'vitest'
import { silentLog } from '../log.ts'
import { closeWaitCollector } from './close-wait.ts'
import type { Collector } from './collector.ts'
import { cpuCollector } from './cpu.ts'
import { javaCollector } from './java.ts'
import { linuxMachine } from './machine.ts'
import { memoryCollector } from './memory.ts'
import { networkCollector } from './network.ts'
import { openProcfs, type Procfs } from './procfs.ts'
import { openSampler } from './sampler.ts'
import { loadCollector } from './load.ts'
import { uptimeCollector } from './uptime.ts'

const fixture = (machine: string, reading: string, tree: string) =>
  openProcfs(
    fileURLToPath(new URL(`../../fixtures/${machine}/${reading}/${tree}`, import.meta.url)),
  )

/** A tree that changes from the first reading of a fixture to the second. */
function changing(machine: string, tree: string) {
  const before = fixture(machine, 'before', tree)
  const after = fixture(machine, 'after', tree)
  let now: Procfs = before
  const files: Procfs = {
    root: machine,
    read: (path) => now.read(path),
    readPieces: (path, take) => now.readPieces(path, take),
    readRecord: (path) => now.readRecord(path),
    text: (path) => now.text(path),
    exists: (path) => now.exists(path),
    list: (path) => now.list(path),
    link: (path) => now.link(path),
  }
  return { files, change: () => (now = after) }
}

/** The second sample of a fixture; its readings are 10 s apart. */
async function sampleOf(machine: string) {
  const proc = changing(machine, 'proc')
  const sys = changing(machine, 'sys')
  let at = 1_767_225_600_000
  const cpu = cpuCollector(proc.files)
  const collectors: readonly Collector[] = [
    cpu,
    javaCollector(proc.files, cpu.capacity),
    memoryCollector(proc.files),
    networkCollector(proc.files, sys.files, () => at),
    closeWaitCollector(proc.files),
    loadCollector(proc.files),
    uptimeCollector(proc.files),
  ]
  const sampler = openSampler({ collectors, cores: cpu.cores, now: () => at, log: silentLog })
  await sampler.takeSample(1)
  proc.change()
  sys.change()
  at += 10_000
  return sampler.takeSample(2)
}

test.each([
  [
    'bare-metal',
    4,
    {
      cpu_user_pct: 32,
      cpu_sys_pct: 7,
      cpu_iowait_pct: 3,
      cpu_idle_pct: 58,
      cpu_steal_pct: 0,
      java_cpu_pct: 0,
      mem_used_pct: 25,
      swap_used_pct: 0,
      net_in_mb_s: 12,
      net_out_mb_s: 1.2,
      front_close_wait: 1,
      back_close_wait: 0,
      load_average: 3.25,
      uptime_days: 10.0001,
    },
  ],
  [
    'virtual-machine',
    2,
    {
      cpu_user_pct: 20,
      cpu_sys_pct: 21,
      cpu_iowait_pct: 0,
      cpu_idle_pct: 59,
      cpu_steal_pct: 14,
      java_cpu_pct: 0,
      mem_used_pct: 75,
      swap_used_pct: 25,
      net_in_mb_s: 0,
      net_out_mb_s: 2,
      front_close_wait: 0,
      back_close_wait: 0,
      load_average: 0.5,
      uptime_days: 0.5001,
    },
  ],
  [
    'java-app-server',
    4,
    {
      cpu_user_pct: 25,
      cpu_sys_pct: 5,
      cpu_iowait_pct: 0,
      cpu_idle_pct: 70,
      cpu_steal_pct: 0,
      // 400 of process 812, 50 of the new 1200 and 150 of 902, of 4,000 ticks.
      java_cpu_pct: 15,
      mem_used_pct: 75,
      swap_used_pct: 75,
      net_in_mb_s: 0,
      net_out_mb_s: 0,
      front_close_wait: 5,
      back_close_wait: 3,
      load_average: 8,
      uptime_days: 1.1575,
    },
  ],
  [
    'container',
    16,
    {
      cpu_user_pct: 10,
      cpu_sys_pct: 5,
      cpu_iowait_pct: 0,
      cpu_idle_pct: 85,
      cpu_steal_pct: 0,
      // Of the host's 16,000 ticks, as all that /proc shows; not of the container's limit.
      java_cpu_pct: 3.13,
      mem_used_pct: 25,
      swap_used_pct: 0,
      net_in_mb_s: 0.3,
      net_out_mb_s: 0.1,
      front_close_wait: 0,
      back_close_wait: 0,
      load_average: 12,
      uptime_days: 3.0001,
    },
  ],
  [
    'hot-plug',
    4,
    {
      cpu_user_pct: 50,
      cpu_sys_pct: 10,
      cpu_iowait_pct: 5,
      cpu_idle_pct: 35,
      cpu_steal_pct: 0,
      swap_used_pct: 0,
      front_close_wait: 0,
      back_close_wait: 0,
      load_average: 0.1,
      uptime_days: 0.1001,
    },
  ],
])('reads %s', async (machine, cores, readings) => {
  const sample = await sampleOf(machine)
  expect(sample.cores).toBe(cores)
  expect(sample.m).toEqual(readings)
  expect(checkSample(sample, sample.at)).toHaveProperty('sample')
})

test('reads a recorded machine', async () => {
  const sample = await sampleOf('recorded-vm')
  expect(sample.cores).toBe(2)
  expect(sample.m).toMatchObject({ swap_used_pct: 0, net_in_mb_s: 0, net_out_mb_s: 0 })
  // Not recorded, so absent: no reading is ever made up.
  expect(sample.m).not.toHaveProperty('java_cpu_pct')
  expect(sample.m).not.toHaveProperty('front_close_wait')
  expect(checkSample(sample, sample.at)).toHaveProperty('sample')
})

test('takes an inventory that says what the machine has not', async () => {
  const root = (tree: string) =>
    fileURLToPath(new URL(`../../fixtures/hot-plug/before/${tree}`, import.meta.url))
  const machine = linuxMachine({
    procRoot: root('proc'),
    sysRoot: root('sys'),
    tags: ['old'],
    clock: { now: () => 0, monotonicMs: () => 0 },
    log: silentLog,
  })
  await machine.sampler.takeSample(0)
  expect(machine.inventory()).toMatchObject({
    kernel: '3.10.0-1160.el7.x86_64',
    cores: 2,
    memoryBytes: 8_000_000 * 1024,
    swap: true,
    tags: ['old'],
    watchedFileSystem: '/',
    unavailable: {
      mem_used_pct: expect.stringContaining('does not say'),
      java_cpu_pct: expect.stringContaining('hides'),
    },
  })
})
