import { metricNames } from '@harbinger/shared/metrics'
import { expect, test } from 'vitest'
import { openStores } from './stores.ts'

const width = metricNames.length

/** Rollups whose bytes take every value there is, those that are no text too. */
const rollupOf = (seed: number) => {
  const bytes = Uint8Array.from({ length: width * 10 }, (_, i) => (seed * 31 + i * 7) % 256)
  return {
    mean: new Float32Array(bytes.slice(0, width * 4).buffer),
    max: new Float32Array(bytes.slice(width * 4, width * 8).buffer),
    count: new Uint16Array(bytes.slice(width * 8).buffer),
  }
}
const bytesOf = ({ mean, max, count }: ReturnType<typeof rollupOf>) =>
  [mean, max, count].map((part) => Buffer.from(part.slice().buffer).toString('hex')).join('')

test('every minute of a range is visited once, newest first, to the byte', () => {
  const { rollups, servers, close } = openStores(':memory:')
  const { id } = servers.register('db01', 0)
  const other = servers.register('db02', 0)
  for (let m = 0; m < 600; m++) rollups.putMinute(id, 29_000_000 + m, rollupOf(m))
  rollups.putMinute(other.id, 29_000_005, rollupOf(5))
  const seen: { minute: number; bytes: string }[] = []
  rollups.eachMinute(id, { from: 29_000_010, to: 29_000_590 }, (minute, rollup) =>
    seen.push({ minute, bytes: bytesOf(rollup as ReturnType<typeof rollupOf>) }),
  )
  expect(seen).toEqual(
    Array.from({ length: 580 }, (_, i) => ({
      minute: 29_000_589 - i,
      bytes: bytesOf(rollupOf(589 - i)),
    })),
  )
  expect(rollups.minuteBounds(id)).toEqual({ first: 29_000_000, last: 29_000_599 })
  close()
})

test('a range with nothing in it visits nobody', () => {
  const { rollups, close } = openStores(':memory:')
  rollups.eachMinute(1, { from: 0, to: 1e9 }, () => expect.unreachable())
  rollups.eachQuarter(1, { from: 0, to: 1e9 }, () => expect.unreachable())
  expect(rollups.quarterBounds(1)).toEqual({ first: null, last: null })
  close()
})
