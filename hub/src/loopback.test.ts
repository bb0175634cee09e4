import { expect, test } from 'vitest'
import { isLoopback, loopbackNames } from './loopback.ts'

test.each([...loopbackNames, '127.0.1.1', '[::1]', 'LOCALHOST'])('%s is this machine', (host) => {
  expect(isLoopback(host)).toBe(true)
})

test.each(['0.0.0.0', '::', '', '128.0.0.1', '127.0.0.1.example', 'localhost.example', '127.0.0'])(
  '%j may be another',
  (host) => {
    expect(isLoopback(host)).toBe(false)
  },
)
