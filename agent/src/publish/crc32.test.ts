import { crc32 as crc32OfZlib } from 'node:zlib'
import { expect, test } from 'vitest'
import { crc32 } from './crc32.ts'

test.each(['', 'a', '123456789', '{"v":"1.0.0","seq":1}', 'ü€\u{1f600}'.repeat(1000)])(
  'is the checksum of zlib: %j',
  (text) => {
    expect(crc32(Buffer.from(text))).toBe(crc32OfZlib(text))
  },
)
