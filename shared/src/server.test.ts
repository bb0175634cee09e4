import { expect, test } from 'vitest'
import { isServerName, serverId, serverKey } from './server.ts'

test.each([
  ['ppml0001', 921_211],
  ['ppml0002', 992_077],
  ['ppml0003', 512_477],
  ['ppdb001', 215_733],
])('the id of %s is %i', (name, id) => {
  expect(serverId(name)).toBe(id)
})

test('an id that is taken moves up until one is free, past the end to the beginning', () => {
  const taken = new Set([921_211, 921_212])
  expect(serverId('ppml0001', (id) => taken.has(id))).toBe(921_213)
  expect(serverId('ppml0001', (id) => id >= 921_211)).toBe(0)
  expect(() => serverId('ppml0001', () => true)).toThrow('no server id is free for ppml0001')
})

test('the exact name makes the id, the name without case the identity', () => {
  expect(serverId('PPDB001')).not.toBe(serverId('ppdb001'))
  expect(serverKey('PPdb001')).toBe(serverKey('ppDB001'))
})

test.each(['a', 'A.b_c-9', 'x'.repeat(253)])('%j may be a server', (name) => {
  expect(isServerName(name)).toBe(true)
})

test.each(['', 'a b', 'a/b', 'ä', '#', '+', 'a\n', 'x'.repeat(254)])(
  '%j may not be a server',
  (name) => {
    expect(isServerName(name)).toBe(false)
  },
)
