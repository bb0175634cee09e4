import type { ServerSummary } from '@harbinger/shared/api'
import { describe, expect, test } from 'vitest'
import { manyRows, serverRow } from './fake-sources.ts'
import { serversPage, type ServersRequest } from '../../hub/src/view/server-page.ts'

const page = (rows: readonly ServerSummary[], request: ServersRequest = {}) => {
  const answer = serversPage(rows, request)
  if ('problem' in answer) throw new Error(answer.problem)
  return answer
}
const names = (rows: readonly ServerSummary[], request: ServersRequest = {}) =>
  page(rows, request).servers.map(({ name }) => name)

const next = (metric: 'mem_used_pct', median: number | null, earliest: number | null) => ({
  metric,
  threshold: 95,
  probability: 0.4,
  earliestMinutes: earliest,
  medianMinutes: median,
})

const fleet = [
  serverRow('web2', { risk: null, profile: 'web_api', tags: ['Paris'] }),
  serverRow('Db1', { risk: 80, severity: 'critical', profile: 'database' }),
  serverRow('app3', { risk: 20, timeToThreshold: next('mem_used_pct', null, 15) }),
  serverRow('app1', { risk: 80, timeToThreshold: next('mem_used_pct', 240, 120) }),
]

describe('sorting', () => {
  const cases: [string | undefined, string[]][] = [
    [undefined, ['app1', 'app3', 'Db1', 'web2']],
    ['name', ['app1', 'app3', 'Db1', 'web2']],
    ['-name', ['web2', 'Db1', 'app3', 'app1']],
    ['risk', ['app3', 'app1', 'Db1', 'web2']],
    ['-risk', ['app1', 'Db1', 'app3', 'web2']],
    ['timeToThreshold', ['app1', 'app3', 'Db1', 'web2']],
    ['-timeToThreshold', ['app3', 'app1', 'Db1', 'web2']],
  ]
  test.each(cases)('by %s', (sort, expected) => {
    expect(names(fleet, sort === undefined ? {} : { sort })).toEqual(expected)
  })

  test('by a metric, unknown last in either direction', () => {
    const rows = [
      serverRow('a', { metrics: { cpu_iowait_pct: { now: 3, in30Minutes: null } } }),
      serverRow('b', { metrics: {} }),
      serverRow('c', { metrics: { cpu_iowait_pct: { now: 9, in30Minutes: null } } }),
      serverRow('d', { metrics: { cpu_iowait_pct: { now: null, in30Minutes: 99 } } }),
    ]
    expect(names(rows, { sort: 'cpu_iowait_pct' })).toEqual(['a', 'c', 'b', 'd'])
    expect(names(rows, { sort: '-cpu_iowait_pct' })).toEqual(['c', 'a', 'b', 'd'])
  })
})

describe('filtering', () => {
  const cases: [ServersRequest, string[]][] = [
    [{ search: 'APP' }, ['app1', 'app3']],
    [{ search: 'data' }, ['Db1']],
    [{ search: 'paris' }, ['web2']],
    [{ search: 'none' }, []],
    [{ profile: 'database' }, ['Db1']],
    [{ severity: 'critical' }, ['Db1']],
    [{ tag: 'Paris' }, ['web2']],
    [{ tag: 'paris' }, []],
    [{ search: '1', profile: 'generic' }, ['app1']],
  ]
  test.each(cases)('%j', (request, expected) => expect(names(fleet, request)).toEqual(expected))
})

describe('paging', () => {
  const rows = manyRows(250)
  const walk = (sort: string, limit: number) => {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const answer = page(rows, { sort, limit, ...(cursor === null ? {} : { cursor }) })
      expect(answer.servers.length).toBeLessThanOrEqual(limit)
      seen.push(...answer.servers.map(({ name }) => name))
      cursor = answer.nextCursor
    } while (cursor !== null)
    return seen
  }

  test.each(['name', '-name', 'risk', '-risk', '-lastSeen', 'cpuUsed', '-mem_used_pct'])(
    'by %s meets every server once, in the order of the whole list',
    (sort) => {
      expect(walk(sort, 37)).toEqual(names(rows, { sort, limit: 1000 }))
      expect(walk(sort, 125)).toHaveLength(250)
    },
  )

  test('goes on in the right place when the server it stopped at is gone', () => {
    const { nextCursor, servers } = page(rows, { limit: 10 })
    const gone = servers.at(-1)!
    const rest = rows.filter(({ name }) => name !== gone.name)
    expect(names(rest, { limit: 1, cursor: nextCursor! })).toEqual(['srv00010'])
  })

  test.each([
    [{ sort: 'colour' }, /sort: must be name/],
    [{ cursor: 'x' }, /cursor/],
    [{ cursor: Buffer.from('["risk",1,"a"]').toString('base64url') }, /same sort/],
    [{ cursor: Buffer.from('["name",{},"a"]').toString('base64url') }, /cursor/],
  ])('%j is refused', (request, problem) => {
    expect(serversPage(rows, request)).toEqual({ problem: expect.stringMatching(problem) })
  })
})
