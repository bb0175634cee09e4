import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadHistory } from './load-history.ts'
import { readHistory } from './read-history.ts'

const folder = mkdtempSync(join(tmpdir(), 'history-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function csv(...lines: string[]): string {
  const path = join(folder, `h${++files}.csv`)
  writeFileSync(path, lines.join('\n'))
  return path
}

async function rowsOf(path: string, onWarning?: (sentence: string) => void) {
  const rows: object[] = []
  for await (const chunk of readHistory(path, { onWarning })) {
    for (let i = 0; i < chunk.rows; i++) {
      rows.push({
        at: chunk.at[i],
        server: chunk.serverNames[chunk.server[i]!],
        profile: chunk.profile[i],
        cores: chunk.cores[i],
        ...Object.fromEntries([...chunk.values].map(([name, values]) => [name, values[i]])),
      })
    }
  }
  return rows
}

const header = 'timestamp,server,profile,cores,cpu_iowait_pct,net_in_mb_s'

describe('a history file', () => {
  test('is read column by column; an empty cell was not measured', async () => {
    const path = csv(
      header,
      '2025-01-06T00:00:00Z,a,database,8,12.5,1',
      '2025-01-06 00:05:00,b,,,,0.25',
      '2025-01-06T02:10:00+02:00,a,database,8,0,',
    )
    const t0 = Date.UTC(2025, 0, 6)
    expect(await rowsOf(path)).toEqual([
      { at: t0, server: 'a', profile: 2, cores: 8, cpu_iowait_pct: 12.5, net_in_mb_s: 1 },
      {
        at: t0 + 300_000,
        server: 'b',
        profile: 0,
        cores: 0,
        cpu_iowait_pct: NaN,
        net_in_mb_s: 0.25,
      },
      { at: t0 + 600_000, server: 'a', profile: 2, cores: 8, cpu_iowait_pct: 0, net_in_mb_s: NaN },
    ])
  })

  test('may have columns nobody knows: they are ignored, and named', async () => {
    const heard: string[] = []
    await rowsOf(csv('timestamp,server,gpu_pct,colour', '2025-01-06T00:00:00Z,a,1,red'), (s) =>
      heard.push(s),
    )
    expect(heard).toEqual([expect.stringContaining('ignored columns gpu_pct, colour')])
  })

  test('may have its rows in any order', async () => {
    const path = csv(
      'timestamp,server,load_average',
      '2025-01-06T00:10:00Z,a,3',
      '2025-01-06T00:00:00Z,a,1',
      '2025-01-06T00:05:00Z,a,2',
    )
    const { servers, intervalMinutes } = await loadHistory(path)
    expect(intervalMinutes).toBe(5)
    expect(servers[0]!.series.count.filter((n) => n > 0).length).toBe(3)
  })

  test.each([
    ['an empty file', [''], 'empty'],
    ['no timestamp', ['server,load_average', 'a,1'], 'column timestamp is missing'],
    ['no server', ['timestamp,load_average', '2025-01-06T00:00:00Z,1'], 'column server is missing'],
    [
      'a column twice',
      ['timestamp,server,server', '2025-01-06T00:00:00Z,a,a'],
      'column server stands there twice',
    ],
    [
      'a time that is none',
      [header, 'yesterday,a,,,1,1'],
      'column timestamp, row 1: expected a UTC time, found "yesterday"',
    ],
    ['an empty time', [header, ',a,,,1,1'], 'column timestamp, row 1: expected a UTC time'],
    ['an empty server', [header, '2025-01-06T00:00:00Z,,,,1,1'], 'column server, row 1'],
    [
      'a server with a blank',
      [header, '2025-01-06T00:00:00Z,my server,,,1,1'],
      'column server, row 1',
    ],
    [
      'a percentage above 100',
      [header, '2025-01-06T00:00:00Z,a,,,1,1', '2025-01-06T00:05:00Z,a,,,101,1'],
      'column cpu_iowait_pct, row 2: expected 0 to 100 %, found "101"',
    ],
    [
      'a rate below 0',
      [header, '2025-01-06T00:00:00Z,a,,,1,-0.1'],
      'column net_in_mb_s, row 1: expected at least 0 MB/s, found "-0.1"',
    ],
    [
      'text in place of a number',
      [header, '2025-01-06T00:00:00Z,a,,,low,1'],
      'column cpu_iowait_pct, row 1: expected 0 to 100 %, found "low"',
    ],
    [
      'a profile nobody knows',
      [header, '2025-01-06T00:00:00Z,a,mainframe,,1,1'],
      'column profile, row 1: expected one of',
    ],
    [
      'half a core',
      [header, '2025-01-06T00:00:00Z,a,,0.5,1,1'],
      'column cores, row 1: expected a whole number ≥ 1, found "0.5"',
    ],
    [
      'an instant twice',
      [
        header,
        '2025-01-06T00:00:00Z,a,,,1,1',
        '2025-01-06T00:00:00Z,b,,,1,1',
        '2025-01-06T00:00:00Z,a,,,1,1',
      ],
      'column timestamp, row 3: server a already has a row at "2025-01-06T00:00:00.000Z"',
    ],
    [
      'an instant twice, out of order',
      [
        header,
        '2025-01-06T00:05:00Z,a,,,1,1',
        '2025-01-06T00:00:00Z,a,,,1,1',
        '2025-01-06T00:05:00Z,a,,,1,1',
      ],
      'row 3: server a already has a row',
    ],
    ['too few cells', [header, '2025-01-06T00:00:00Z,a'], 'Invalid Record Length'],
  ])('is refused for %s', async (_what, lines, message) => {
    await expect(rowsOf(csv(...lines))).rejects.toThrow(message)
  })

  test('is refused when its usual step is longer than 15 minutes', async () => {
    const path = csv('timestamp,server', '2025-01-06T00:00:00Z,a', '2025-01-06T01:00:00Z,a')
    await expect(loadHistory(path)).rejects.toThrow('usual step is 60 minutes, expected at most 15')
  })

  test('is refused by name when it is neither kind, or not there', async () => {
    await expect(rowsOf('history.xlsx')).rejects.toThrow('ends in .parquet or .csv')
    await expect(rowsOf(join(folder, 'none.csv'))).rejects.toThrow('no such file')
    const path = join(folder, 'broken.parquet')
    writeFileSync(path, 'not parquet at all')
    await expect(rowsOf(path)).rejects.toThrow('not a Parquet file')
  })

  test('tells how far it is', async () => {
    const shares: number[] = []
    const path = csv('timestamp,server', '2025-01-06T00:00:00Z,a', '2025-01-06T00:05:00Z,a')
    for await (const chunk of readHistory(path, {
      onProgress: ({ share }) => shares.push(share),
    })) {
      expect(chunk.rows).toBe(2)
    }
    expect(shares).toEqual([1])
  })
})
