import { describe, expect, test } from 'vitest'
import { isJavaCommand, javaCollector, parseProcessStat } from './java.ts'

type Process = { comm: string; ticks: number; startedAt?: number; cmdline?: string }

const statLine = (pid: number, { comm, ticks, startedAt = 5 }: Process) =>
  Buffer.from(`${pid} (${comm}) S 1 1 1 0 -1 0 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 ${startedAt} 0 0\n`)

/** A /proc that shows each set of processes once, in order; process 1 is always there unless hidden. */
function recorded(readings: { [pid: number]: Process }[], { hidden = false } = {}) {
  let current: { [pid: number]: Process } = {}
  const reads: string[] = []
  const procfs = {
    list: () => [...Object.keys(current), 'self', 'stat'],
    readRecord(path: string) {
      reads.push(path)
      if (path === '1/stat') current = { 1: { comm: 'init', ticks: 0 }, ...readings.shift() }
      const [pid, file] = path.split('/')
      const process = current[Number(pid)]
      if (!process || (hidden && pid === '1')) {
        throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      }
      return file === 'stat' ? statLine(Number(pid), process) : Buffer.from(process.cmdline ?? '')
    },
  }
  return { procfs, reads }
}

function secondReading(before: { [pid: number]: Process }, after: { [pid: number]: Process }) {
  // Process 1 is read once to see whether it is visible, and once more in the list.
  const java = javaCollector(recorded([before, before, after, after]).procfs, () => 1_000)
  java.collect()
  return java.collect()
}

const jvm = (ticks: number, startedAt = 5): Process => ({ comm: 'java', ticks, startedAt })

describe('java collector', () => {
  test('says nothing on the first call', () => {
    expect(javaCollector(recorded([{}, {}]).procfs, () => 1_000).collect()).toEqual({})
  })

  test('is 0 on a server without a JVM', () => {
    expect(
      secondReading({ 7: { comm: 'sh', ticks: 5 } }, { 7: { comm: 'sh', ticks: 95 } }),
    ).toEqual({ java_cpu_pct: 0 })
  })

  test('adds up the JVMs', () => {
    expect(secondReading({ 7: jvm(100), 8: jvm(10) }, { 7: jvm(200), 8: jvm(60) })).toEqual({
      java_cpu_pct: 15,
    })
  })

  test('counts a JVM that started since in full, and one that ended not at all', () => {
    expect(secondReading({ 7: jvm(900) }, { 8: jvm(30) })).toEqual({ java_cpu_pct: 3 })
  })

  test('takes a process with the number of an earlier one for a new one', () => {
    expect(secondReading({ 7: jvm(900, 5) }, { 7: jvm(40, 99) })).toEqual({ java_cpu_pct: 4 })
  })

  test('notices a start script that becomes a JVM, and counts from then on', () => {
    const script = { 7: { comm: 'run.sh', ticks: 500, cmdline: '/bin/sh\0run.sh\0' } }
    const { procfs } = recorded([
      script,
      script,
      { 7: jvm(520) },
      { 7: jvm(520) },
      { 7: jvm(620) },
      { 7: jvm(620) },
    ])
    const java = javaCollector(procfs, () => 1_000)
    java.collect()
    expect(java.collect()).toEqual({ java_cpu_pct: 0 })
    expect(java.collect()).toEqual({ java_cpu_pct: 10 })
  })

  test('reads the command line of a process once in its life', () => {
    const shell = { 7: { comm: 'sh', ticks: 5 } }
    const { procfs, reads } = recorded([shell, shell, shell, shell])
    const java = javaCollector(procfs, () => 1_000)
    java.collect()
    java.collect()
    expect(reads.filter((path) => path === '7/cmdline')).toHaveLength(1)
  })

  describe('on a server with many processes', () => {
    function crowded(processes: { [pid: number]: Process }) {
      const reads: string[] = []
      const procfs = {
        list: () => Object.keys(processes),
        readRecord(path: string) {
          reads.push(path)
          const [pid, file] = path.split('/')
          const process = processes[Number(pid)]!
          return file === 'stat'
            ? statLine(Number(pid), process)
            : Buffer.from(process.cmdline ?? '')
        },
      }
      const java = javaCollector(procfs, () => 1_000)
      return {
        collect: () => (java.collect() as { java_cpu_pct?: number }).java_cpu_pct,
        reads: () => reads.splice(0).length,
      }
    }
    const many = () =>
      Object.fromEntries(
        Array.from({ length: 600 }, (_, i) => [i + 1, { comm: `worker-${i}`, ticks: 3 }]),
      ) as { [pid: number]: Process }

    test('what is no JVM is read every sixth sample after a while, each sample as many', () => {
      const processes = { ...many(), 700: jvm(0) }
      const { collect, reads } = crowded(processes)
      for (let i = 0; i < 8; i++) collect()
      reads()
      const seen = new Set<number>()
      for (let i = 1; i <= 12; i++) {
        processes[700] = jvm(50 * i)
        expect(collect()).toBe(5)
        seen.add(reads())
      }
      // A hundred, the JVM, and process 1 to see whether it is visible.
      expect([...seen].every((n) => n >= 101 && n <= 102)).toBe(true)
    })

    test('an old process that becomes a JVM is found six samples later at the latest', () => {
      for (let pid = 2; pid < 14; pid++) {
        const processes = many()
        const { collect } = crowded(processes)
        for (let i = 0; i < 20; i++) collect()
        let ticks = 3
        let found = 0
        do {
          processes[pid] = { comm: 'java', ticks: (ticks += 100) }
          found++
        } while (collect() === 0 && found < 50)
        // The sample that finds it counts from then on.
        expect(found).toBeLessThanOrEqual(7)
      }
    })

    test('a new process is read at once', () => {
      const processes = many()
      const { collect } = crowded(processes)
      for (let i = 0; i < 20; i++) collect()
      processes[900] = jvm(70)
      expect(collect()).toBe(7)
    })
  })

  test('never exceeds all there was', () => {
    expect(secondReading({ 7: jvm(0) }, { 7: jvm(5_000) })).toEqual({ java_cpu_pct: 100 })
  })

  test('counts ticks that ran backwards as none', () => {
    expect(secondReading({ 7: jvm(100) }, { 7: jvm(90) })).toEqual({ java_cpu_pct: 0 })
  })

  test('is absent, not 0, when /proc hides the processes of others', () => {
    const { procfs } = recorded([{}, {}, {}, {}], { hidden: true })
    const java = javaCollector(procfs, () => 1_000)
    java.collect()
    expect(java.collect()).toEqual({})
  })
})

test('reads a command with spaces and parentheses', () => {
  const stat = parseProcessStat(statLine(9, { comm: 'a) S 1 (b', ticks: 12, startedAt: 34 }))
  expect(stat).toEqual({ comm: 'a) S 1 (b', ticks: 12, startedAt: 34 })
})

test.each(['', '12 sh S 1', '12 (sh) S 1 2 3'])('refuses %j as a process', (line) => {
  expect(() => parseProcessStat(Buffer.from(line))).toThrow('/proc/[pid]/stat')
})

test.each([
  ['java\0-jar\0', true],
  ['/usr/lib/jvm/bin/java\0', true],
  ['/usr/bin/javac\0', false],
  ['/bin/sh\0java\0', false],
  ['', false],
])('command %j is a JVM: %s', (cmdline, expected) => {
  expect(isJavaCommand(Buffer.from(cmdline))).toBe(expected)
})
