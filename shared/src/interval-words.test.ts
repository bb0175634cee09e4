import { expect, test } from 'vitest'
import { bytesText, estimateText } from './interval-words.ts'

test.each([
  [0, '0 bytes'],
  [288, '288 bytes'],
  [999.7, '1.0 kB'],
  [12_345, '12 kB'],
  [999_499, '1.0 MB'],
  [2_592_000, '2.6 MB'],
  [31_104_000, '31 MB'],
  [311_040_000, '310 MB'],
  [3_110_400_000, '3.1 GB'],
])('%d bytes read %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

const estimate = {
  ...{ servers: 12, decidedByOthers: 0, touched: 12, measured: 12, minutes: 60 },
  ...{ bytesPerDay: { now: 31e6, then: 310e6 }, included: '' },
}

test.each([
  [
    {},
    '12 servers: now 31 MB a day, then 310 MB a day, measured over the last hour from 12 of 12 servers.',
  ],
  [
    { servers: 15, decidedByOthers: 3, measured: 10, minutes: 7.4 },
    '12 servers: now 31 MB a day, then 310 MB a day, measured over the last 7 minutes from 10 of 12 servers. For 3 servers more another rule decides.',
  ],
  [
    { servers: 1, touched: 1, measured: 0, minutes: 0.4, bytesPerDay: null },
    '1 server; bytes a day are unknown: none of them was measured in the last minute.',
  ],
  [
    { servers: 1, touched: 0, decidedByOthers: 1 },
    'Another rule decides for this server: nothing changes.',
  ],
  [
    { servers: 3, touched: 0, decidedByOthers: 3 },
    'Another rule decides for all 3 servers: nothing changes.',
  ],
  [
    { servers: 0, touched: 0 },
    'No server has this tag: nothing changes now; one that comes follows the rule.',
  ],
])('%o is told', (more, text) => {
  expect(estimateText('tag', { ...estimate, ...more })).toBe(text)
})
