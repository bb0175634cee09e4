import { execFile, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { cpuCollector } from '../../agent/src/sample/cpu.ts'
import { openProcfs } from '../../agent/src/sample/procfs.ts'

const run = promisify(execFile)
const load: { kill(signal: 'SIGKILL'): unknown }[] = []
afterEach(() => {
  for (const process of load.splice(0)) process.kill('SIGKILL')
})

/** Keeps one core busy, half in user space, half in the kernel. */
const startLoad = () =>
  load.push(
    spawn('sh', ['-c', 'while :; do head -c 2000000 /dev/zero >/dev/null; done'], {
      stdio: 'ignore',
    }),
  )

/** The line of all cores of /proc/stat as ticks: user nice system idle iowait irq softirq steal. */
const ticks = (): number[] =>
  readFileSync('/proc/stat', 'utf8').split('\n')[0]!.split(/\s+/).slice(1, 9).map(Number)

const hasMpstat = (() => {
  try {
    execFileSync('mpstat', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

describe.skipIf(process.platform !== 'linux')('CPU parts under a known load', () => {
  test('agree with the arithmetic of /proc/stat within a point', async () => {
    const collector = cpuCollector(openProcfs('/proc'))
    startLoad()
    const before = ticks()
    await collector.collect()
    // A share needs time to be a share of.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    const parts = await collector.collect()
    const spent = ticks().map((now, i) => now - before[i]!)
    const all = spent.reduce((sum, n) => sum + n, 0)
    const share = (...fields: number[]) =>
      (100 * fields.reduce((sum, field) => sum + spent[field]!, 0)) / all
    expect(Math.abs(parts.cpu_user_pct! - share(0, 1))).toBeLessThan(1)
    expect(Math.abs(parts.cpu_sys_pct! - share(2, 5, 6, 7))).toBeLessThan(1)
    expect(Math.abs(parts.cpu_iowait_pct! - share(4))).toBeLessThan(1)
    expect(Math.abs(parts.cpu_idle_pct! - share(3))).toBeLessThan(1)
    expect(parts.cpu_idle_pct!).toBeLessThan(95)
  })

  // The two look at the same seconds but for the start of a process; on a machine that changes its mind, look again.
  test('agree with mpstat within a point', { retry: 2, timeout: 30_000 }, async ({ skip }) => {
    if (!hasMpstat) {
      if (process.env.CI === 'true') throw new Error('mpstat (package sysstat) is not installed')
      process.stderr.write('SKIPPED tests/agent/cpu.test.ts, mpstat: package sysstat is missing\n')
      return skip('mpstat (package sysstat) is not installed')
    }
    startLoad()
    const collector = cpuCollector(openProcfs('/proc'))
    await collector.collect()
    const { stdout } = await run('mpstat', ['-o', 'JSON', '5', '1'], {
      env: { ...process.env, LC_ALL: 'C' },
    })
    const parts = await collector.collect()
    const [seen] = JSON.parse(stdout).sysstat.hosts[0].statistics[0]['cpu-load'] as {
      usr: number
      nice: number
      sys: number
      irq: number
      soft: number
      steal: number
      iowait: number
      idle: number
    }[]
    const { usr, nice, sys, irq, soft, steal, iowait, idle } = seen!
    expect(Math.abs(parts.cpu_user_pct! - usr - nice)).toBeLessThan(1)
    expect(Math.abs(parts.cpu_sys_pct! - sys - irq - soft - steal)).toBeLessThan(1)
    expect(Math.abs(parts.cpu_iowait_pct! - iowait)).toBeLessThan(1)
    expect(Math.abs(parts.cpu_idle_pct! - idle)).toBeLessThan(1)
  })
})
