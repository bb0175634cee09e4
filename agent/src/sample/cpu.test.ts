import { describe, expect, test } from 'vitest'
import { cpuCollector, parseCpuTimes } from './cpu.ts'

/** A procfs whose /proc/stat shows each reading once, in order; a reading is its cpu lines. */
const recorded = (...readings: string[]) => ({
  read: () => Buffer.from(`${readings.shift()}\nintr 0\n`),
})

const secondReading = (before: string, after: string) => {
  const cpu = cpuCollector(recorded(before, after))
  cpu.collect()
  return cpu.collect()
}

describe('cpu collector', () => {
  test('says nothing on the first call: a share needs two readings', () => {
    expect(cpuCollector(recorded('cpu  10 0 10 80 0 0 0 0 0 0')).collect()).toEqual({})
  })

  test('says nothing while no tick has passed', () => {
    const line = 'cpu  10 0 10 80 0 0 0 0 0 0'
    expect(secondReading(line, line)).toEqual({})
  })

  test('counts nice as user, and irq, softirq and steal as system', () => {
    expect(
      secondReading('cpu  0 0 0 0 0 0 0 0 0 0', 'cpu  100 50 40 600 110 20 30 50 0 0'),
    ).toEqual({
      cpu_user_pct: 15,
      cpu_sys_pct: 14,
      cpu_iowait_pct: 11,
      cpu_idle_pct: 60,
      cpu_steal_pct: 5,
    })
  })

  test('does not count guest time twice', () => {
    expect(secondReading('cpu  0 0 0 0 0 0 0 0 0 0', 'cpu  50 0 0 50 0 0 0 0 40 0')).toMatchObject({
      cpu_user_pct: 50,
      cpu_idle_pct: 50,
    })
  })

  test('stays within bounds when the kernel lets iowait and idle run backwards', () => {
    expect(
      secondReading('cpu  0 0 0 100 50 0 0 0 0 0', 'cpu  40 0 0 160 0 0 0 0 0 0'),
    ).toMatchObject({ cpu_user_pct: 40, cpu_iowait_pct: 0, cpu_idle_pct: 60 })
    expect(secondReading('cpu  0 0 0 100 0 0 0 0 0 0', 'cpu  40 0 0 90 0 0 0 0 0 0')).toMatchObject(
      { cpu_user_pct: 100, cpu_idle_pct: 0 },
    )
  })

  test('looks at the cores that stayed when one comes: it brings its whole past', () => {
    expect(
      secondReading(
        'cpu  100 0 0 100 0 0 0 0 0 0\ncpu0 100 0 0 100 0 0 0 0 0 0',
        'cpu  150 0 0 90150 0 0 0 0 0 0\ncpu0 150 0 0 150 0 0 0 0 0 0\ncpu1 0 0 0 90000 0 0 0 0 0 0',
      ),
    ).toMatchObject({ cpu_user_pct: 50, cpu_idle_pct: 50 })
  })

  test('looks at the cores that stayed when one goes', () => {
    expect(
      secondReading(
        'cpu  200 0 0 200 0 0 0 0 0 0\ncpu0 100 0 0 100 0 0 0 0 0 0\ncpu1 100 0 0 100 0 0 0 0 0 0',
        'cpu  130 0 0 170 0 0 0 0 0 0\ncpu0 130 0 0 170 0 0 0 0 0 0',
      ),
    ).toMatchObject({ cpu_user_pct: 30, cpu_idle_pct: 70 })
  })

  test('has parts that are 100 together whatever is rounded', () => {
    for (let total = 1; total < 400; total++) {
      const parts = [total * 3, total * 7 + 1, 11, total * total]
      const [user, system, idle, ioWait] = parts
      const readings = secondReading(
        'cpu  0 0 0 0 0 0 0 0 0 0',
        `cpu  ${user} 0 ${system} ${idle} ${ioWait} 0 0 0 0 0`,
      ) as { [name: string]: number }
      const sum =
        readings.cpu_user_pct! +
        readings.cpu_sys_pct! +
        readings.cpu_iowait_pct! +
        readings.cpu_idle_pct!
      expect(Math.abs(sum - 100)).toBeLessThan(0.02)
    }
  })

  test('knows the cores online, also when their numbers have gaps', () => {
    const cpu = cpuCollector(recorded('cpu  1 1 1 1\ncpu0 1 1 1 1\ncpu2 1 1 1 1\ncpu7 1 1 1 1'))
    cpu.collect()
    expect(cpu.cores()).toBe(3)
  })
})

test.each([
  ['nothing', ''],
  ['no cpu line', 'intr 1 2 3\n'],
  ['words for numbers', 'cpu  a b c d\n'],
  ['too few columns', 'cpu  1 2\n'],
  ['only the cores', 'cpu0 1 2 3 4\n'],
])('refuses %s as /proc/stat', (_, stat) => {
  expect(() => parseCpuTimes(Buffer.from(stat))).toThrow('/proc/stat: expected a cpu line, got')
})
