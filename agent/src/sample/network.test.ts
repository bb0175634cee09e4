import { describe, expect, test } from 'vitest'
import { networkCollector, parseTraffic, pickInterfaces } from './network.ts'

const dev = (traffic: { [name: string]: readonly [received: number, sent: number] }) =>
  'Inter-|   Receive\n face |bytes\n' +
  Object.entries(traffic)
    .map(
      ([name, [received, sent]]) =>
        `${name.padStart(6)}:${received} 0 0 0 0 0 0 0 ${sent} 0 0 0 0 0 0 0\n`,
    )
    .join('')

type Table = { readonly [name: string]: readonly [received: number, sent: number] }

/** What the collector says to each table, 2 s apart; interfaces whose name begins with e have hardware. */
function readings(...tables: readonly Table[]) {
  let at = 0
  let table: Table = {}
  const network = networkCollector(
    { text: () => dev(table) },
    {
      exists: (path) => path.startsWith('class/net/e') && path.endsWith('/device'),
      link: () => undefined,
    },
    () => (at += 2_000),
  )
  return tables.map((next) => {
    table = next
    return network.collect()
  })
}

describe('network collector', () => {
  test('says nothing on the first call, then megabytes of 10⁶ bytes per second', () => {
    const [first, second] = readings({ eth0: [0, 0] }, { eth0: [4_000_000, 1_000_000] })
    expect(first).toEqual({})
    expect(second).toEqual({ net_in_mb_s: 2, net_out_mb_s: 0.5 })
  })

  test('counts a counter that was reset as none, and goes on from there', () => {
    const [, second, third] = readings(
      { eth0: [9e9, 9e9] },
      { eth0: [1e6, 1e6] },
      { eth0: [3e6, 2e6] },
    )
    expect(second).toEqual({ net_in_mb_s: 0, net_out_mb_s: 0 })
    expect(third).toEqual({ net_in_mb_s: 1, net_out_mb_s: 0.5 })
  })

  test('counts an interface that appears from its second reading on', () => {
    const [, second] = readings({ eth0: [0, 0] }, { eth0: [2e6, 0], eth1: [9e9, 9e9] })
    expect(second).toEqual({ net_in_mb_s: 1, net_out_mb_s: 0 })
  })

  test('is absent where there is no interface', () => {
    expect(readings({ lo: [0, 0] }, { lo: [5, 5] })[1]).toEqual({})
  })
})

test('reads a line whose counter touches the colon, and a name with a colon', () => {
  const traffic = parseTraffic(dev({ 'eth0:1': [12, 34] }))
  expect(traffic.get('eth0:1')).toEqual({ received: 12, sent: 34 })
})

test('refuses a line without counters', () => {
  expect(() => parseTraffic('a\nb\neth0: 1 2 3\n')).toThrow('/proc/net/dev: expected counters')
})

test.each([
  [
    'ports of a bond, not the bond',
    { eno1: true, eno2: true, bond0: false },
    { eno1: '../bond0', eno2: '../bond0' },
    ['eno1', 'eno2'],
  ],
  ['the upper one of a netvsc pair', { eth0: true, enP1s1: true }, { enP1s1: '../eth0' }, ['eth0']],
  ['the virtual eth0 of a container', { lo: false, tunl0: false, eth0: false }, {}, ['eth0']],
  [
    'no bridge of a host without hardware',
    { lo: false, docker0: false, 'br-1f': false, veth12: false },
    {},
    [],
  ],
])('takes %s', (_, hasDevice, masters: { [name: string]: string }, expected) => {
  expect(pickInterfaces(new Map(Object.entries(hasDevice)), (name) => masters[name])).toEqual(
    expected,
  )
})
