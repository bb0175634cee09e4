import { describe, expect, test } from 'vitest'
import { closeWaitCollector, countSockets } from './close-wait.ts'

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
    read(path) {
      if (path === 'net/tcp') return Buffer.from(table(8, tcp))
      if (!tcp6) throw noSuchFile()
      if (path === 'net/sockstat6')
        return Buffer.from(`TCP6: inuse ${tcp6.length}\nUDP6: inuse 3\n`)
      if (tcp6.length === 0) throw new Error('the kernel walks its whole hash for nothing')
      return Buffer.from(table(32, tcp6))
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
    const count = { listening: new Set<number>(), waiting: new Map<number, number>() }
    const lines = Array.from({ length: 9 }, (_, i) =>
      table(8, [[i, '08']], i * 5_000).slice(columns.length),
    )
    const uneven = lines.map((text, i) => text.replace('\n', `${' 7'.repeat(i % 3)}\n`)).join('')
    countSockets(Buffer.from(columns + uneven.trimEnd()), count)
    expect([...count.waiting.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  test('reads lines whose number needs more than four digits', () => {
    const count = { listening: new Set<number>(), waiting: new Map<number, number>() }
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

test.each([
  ['nothing', ''],
  ['a line that is no socket', `${columns}what is this\n`],
  ['a line that ends too early', `${columns}   0: 0100007F:0050 0100`],
])('refuses %s as a table of sockets', (_, text) => {
  const count = { listening: new Set<number>(), waiting: new Map<number, number>() }
  expect(() => countSockets(Buffer.from(text), count)).toThrow('/proc/net/tcp')
})
