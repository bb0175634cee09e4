import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { closeWaitCollector, countSockets } from './close-wait.ts'
import { openProcfs } from './procfs.ts'

type Socket = readonly [localPort: number, state: string]

const columns = '  sl  local_address rem_address   st tx_queue rx_queue\n'

const table = (digits: 8 | 32, sockets: readonly Socket[], firstLine = 0) =>
  columns +
  sockets
    .map(([port, state], i) => {
      const address = 'A'.repeat(digits)
      const hex = port.toString(16).toUpperCase().padStart(4, '0')
      return `${String(firstLine + i).padStart(4)}: ${address}:${hex} ${address}:08AE ${state} 00000000:00000000 00:00000000\n`
    })
    .join('')

const noSuchFile = () => Object.assign(new Error('no such file'), { code: 'ENOENT' })

const collect = (tcp: readonly Socket[], tcp6?: readonly Socket[]) =>
  closeWaitCollector({
    readPieces: (path, take) =>
      take(Buffer.from(path === 'net/tcp' ? table(8, tcp) : table(32, tcp6 ?? []))),
    read(path) {
      if (!tcp6) throw noSuchFile()
      if (path === 'net/sockstat6')
        return Buffer.from(`TCP6: inuse ${tcp6.length}\nUDP6: inuse 3\n`)
      throw new Error(`${path} is a table, to be read in pieces`)
    },
  }).collect()

describe('close-wait collector', () => {
  test('is front where the server listens on the local port, back where it does not', () => {
    expect(
      collect(
        [
          [80, '0A'],
          [80, '08'],
          [80, '08'],
          [40000, '08'],
          [80, '01'],
        ],
        [],
      ),
    ).toEqual({ front_close_wait: 2, back_close_wait: 1 })
  })

  test('takes the ports of both families together: a program may listen on IPv6 for both', () => {
    expect(
      collect(
        [[8080, '08']],
        [
          [8080, '0A'],
          [8080, '08'],
          [555, '08'],
        ],
      ),
    ).toEqual({
      front_close_wait: 2,
      back_close_wait: 1,
    })
  })

  test('works on a kernel without IPv6', () => {
    expect(collect([[9, '08']])).toEqual({ front_close_wait: 0, back_close_wait: 1 })
  })

  test('is 0 when there is no socket', () => {
    expect(collect([], [])).toEqual({ front_close_wait: 0, back_close_wait: 0 })
  })

  test('reads lines of unequal length, and one that is not ended', () => {
    const count = { listening: new Set<number>(), waiting: new Map<number, number>(), total: 0 }
    const lines = Array.from({ length: 9 }, (_, i) =>
      table(8, [[i, '08']], i * 5_000).slice(columns.length),
    )
    const uneven = lines.map((text, i) => text.replace('\n', `${' 7'.repeat(i % 3)}\n`)).join('')
    countSockets(Buffer.from(columns + uneven.trimEnd()), count)
    expect([...count.waiting.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  test('reads lines whose number needs more than four digits', () => {
    const count = { listening: new Set<number>(), waiting: new Map<number, number>(), total: 0 }
    countSockets(
      Buffer.from(
        table(
          8,
          [
            [7, '08'],
            [7, '08'],
          ],
          99_999,
        ),
      ),
      count,
    )
    expect(count.waiting.get(7)).toBe(2)
  })
})

describe('with so many sockets that counting them costs too much', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sockets-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'net'))

  /** Tables as the kernel writes them: one in a hundred waits to be closed, half of those where port 80 listens. */
  const fill = (sockets: number) => {
    const ofFamily = (count: number): Socket[] =>
      Array.from({ length: count }, (_, i) => [
        i === 0 || i % 200 === 100 ? 80 : 1_024 + (i % 60_000),
        i === 0 ? '0A' : i % 100 === 0 ? '08' : '01',
      ])
    writeFileSync(join(folder, 'net/tcp'), table(8, ofFamily(sockets * 0.6)))
    writeFileSync(join(folder, 'net/tcp6'), table(32, ofFamily(sockets * 0.4)))
    writeFileSync(join(folder, 'net/sockstat6'), `TCP6: inuse ${sockets * 0.4}\n`)
  }

  test('50,000 are counted for every fifth sample, which is said once; fewer for every one again', () => {
    const said: [every: number, sockets: number][] = []
    const collector = closeWaitCollector(openProcfs(folder), {
      onPace: (...words) => void said.push(words),
    })
    const samples = (count: number) => Array.from({ length: count }, () => collector.collect())

    fill(10_000)
    expect(samples(2)).toEqual([
      { front_close_wait: 50, back_close_wait: 48 },
      { front_close_wait: 50, back_close_wait: 48 },
    ])
    expect(said).toEqual([])

    fill(50_000)
    const counted = { front_close_wait: 250, back_close_wait: 248 }
    expect(samples(11)).toEqual([counted, {}, {}, {}, {}, counted, {}, {}, {}, {}, counted])
    expect(said).toEqual([[5, 50_000]])

    fill(5_000)
    expect(samples(6).slice(4)).toEqual([
      { front_close_wait: 25, back_close_wait: 23 },
      { front_close_wait: 25, back_close_wait: 23 },
    ])
    expect(said).toEqual([
      [5, 50_000],
      [1, 5_000],
    ])
  })
})

test.each([
  ['nothing', ''],
  ['a line that is no socket', `${columns}what is this\n`],
  ['a line that ends too early', `${columns}   0: 0100007F:0050 0100`],
])('refuses %s as a table of sockets', (_, text) => {
  const count = { listening: new Set<number>(), waiting: new Map<number, number>(), total: 0 }
  expect(() => countSockets(Buffer.from(text), count)).toThrow('/proc/net/tcp')
})
